"""A module for each word that can be typed: `add` declares its arguments, `run` does it and returns the exit code."""
