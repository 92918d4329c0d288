"""The training engine: a torch program of its own, run as `python -m trainer.engine`; nobody imports it."""
