"""Packs: ordered choices of versions with notes."""
