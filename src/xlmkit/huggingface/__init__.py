"""The classes with Hugging Face's names: `PreTrainedModel` shells over `model` and `text`."""
