"""Many devices on one machine, the servers they report to, and what can happen to all of them."""
