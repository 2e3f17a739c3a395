"""How the program lives on a machine without an engineer: supervised, logged, and what it died of."""
