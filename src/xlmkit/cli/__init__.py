"""The command line: verbs, and one sentence for every mistake."""
