"""Models made smaller and faster after their training."""
