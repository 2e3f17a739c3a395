"""What tools/benchmark.py measures with: fields, clocks, the processor's peak, memory, and another detector."""
