"""Writes of training, one transaction each: submitting, leases, recording, finishing."""
