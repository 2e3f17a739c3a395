"""A specimen that is not there: seeded, and it knows its own truth."""
