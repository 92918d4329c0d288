"""The template for pictures that may carry an embedding: what reads every embedding, and the picture decoders."""

from hub.formats import image_embedding, inspection


def preload() -> None:
    """Load both, while files may still be opened."""
    inspection.preload()
    image_embedding.preload()
