"""From counted fields to counts: where each lies on the slide, and each cell once."""
