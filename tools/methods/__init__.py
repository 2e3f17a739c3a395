"""The methods of the literature beside ours, on the same fields and cells: `tools/compare_methods`."""
