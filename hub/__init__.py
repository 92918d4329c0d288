"""The hub: a registry for textual-inversion embeddings, one Django app with rooms by role."""
