"""The suite: rooms as in the product, journeys through all of them, and checks on the house itself."""
