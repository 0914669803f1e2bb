"""Labelled tasks: what a dataset is, its features and its metric."""
