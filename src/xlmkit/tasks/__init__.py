"""Labelled tasks, one file each: section, reading, what the model is asked, and metrics."""
