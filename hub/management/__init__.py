"""DOOR: the command line of the hub, and the supervisor behind `quickstart`."""
