"""The named thing: its name, what its owner says of it, where it moves, who likes it."""
