"""The bundled tiny base model: its world, its training, its judge, its picture sets and its catalogue."""
