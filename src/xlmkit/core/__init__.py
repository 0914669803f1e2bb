"""Configuration, files, progress, devices and processes: no language, no model."""
