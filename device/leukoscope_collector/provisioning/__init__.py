"""Certificates of a site, and a broker that lets each of its holders do no more than it must."""
