"""How a process of this software asks a command of its own for texts that can be put into another language."""

AS_SENTENCES = "LEUKOSCOPE_SENTENCES"
"""Environment variable: when set, a command prints ids and values (JSON) instead of English text."""
