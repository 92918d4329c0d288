"""What tools send: the files of a commit, the card among them, and large files on their way."""
