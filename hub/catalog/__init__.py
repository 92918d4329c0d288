"""Reads: every function starts from what the viewer may see, and never writes."""
