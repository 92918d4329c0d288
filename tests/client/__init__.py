"""The `glossa` command line."""
