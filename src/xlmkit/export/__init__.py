"""A model for another engine: a declared specification, checked against what xlmkit computes."""
