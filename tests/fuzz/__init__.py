"""Fuzzing of every reader: targets, seeds, and a mutational fuzzer of our own for where no other is installed."""
