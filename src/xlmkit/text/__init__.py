"""Languages, normalisation, word splitting, byte-pair encoding, the tokenizer: no torch."""
