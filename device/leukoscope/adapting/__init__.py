"""Fits a classifier's last layer to a laboratory's cells, on the device."""
