"""Plain torch modules of XLM: no files, no recipes, no Hugging Face."""
