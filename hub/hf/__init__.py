"""DOOR: the Hugging Face protocol: its clients pull, look around, push, and keep their repositories in order."""
