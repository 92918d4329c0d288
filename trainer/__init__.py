"""The trainer: makes embeddings from picture sets. Stands on the hub; the hub never uses it."""
