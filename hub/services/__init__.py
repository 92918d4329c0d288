"""Writes: one function, one transaction. The viewer comes first, the rest by keyword."""
