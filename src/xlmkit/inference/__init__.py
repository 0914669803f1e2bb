"""Trained models at work on many texts: vectors and predictions, from Python and for files."""
