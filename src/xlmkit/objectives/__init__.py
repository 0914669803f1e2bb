"""What a model learns from: a loss for a model and a batch."""
