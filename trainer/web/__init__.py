"""DOOR: the pages of training."""
