"""Metrics with intervals and signatures, and the report that shows them."""
