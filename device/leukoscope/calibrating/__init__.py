"""The guided procedures that measure a bench's light path and put the result in force."""
