"""One folder that carries everything a model needs: configuration, tokenizer, weights, recipe."""
