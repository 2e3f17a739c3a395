"""What tools/soak.py counts on and measures with."""
