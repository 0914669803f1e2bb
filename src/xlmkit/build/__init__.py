"""Where all layers meet: the stages with models, built from the recipe."""
