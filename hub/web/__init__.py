"""The pages: a door that parses, calls one function of services or catalog, and renders."""
