"""Why a model said what it said: token attributions, attention, and words that are translations."""
