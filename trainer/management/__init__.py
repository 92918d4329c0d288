"""DOOR: the command line of the trainer."""
