"""DOOR: the Hugging Face protocol, as far as its clients read: pull, look around, ask who one is."""
