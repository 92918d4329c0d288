"""Real servers for the suite, each in a temporary folder, on its own ports, and gone when the suite is."""
