"""DOOR: training through the native API, under `/api/hub/v1/runs`."""
