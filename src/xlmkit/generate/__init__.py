"""Search: from a model that scores next words to the words themselves."""
