"""The running device: from the open bench to the last report."""
