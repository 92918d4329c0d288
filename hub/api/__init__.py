"""DOOR: the native API under `/api/hub/v1/`. Views parse, call one function, and render JSON or a file."""
