"""Telling other programs what happened: whom, what, signed, until it arrives."""
