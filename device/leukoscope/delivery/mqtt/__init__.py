"""Delivery to an MQTT broker."""
