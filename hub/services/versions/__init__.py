"""What a name points to: from a file to a frozen version, what is served of it, and how it is withdrawn."""
