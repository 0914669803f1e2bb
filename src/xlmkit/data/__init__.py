"""Text from many sources, cleaned, split, stored as token ids and served as batches."""
