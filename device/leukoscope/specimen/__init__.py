"""The nouns of the instrument: frames, cells, fields, samples. Depends on numpy alone."""
