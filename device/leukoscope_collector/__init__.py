"""The central side: keeps what many devices report, each report once."""
