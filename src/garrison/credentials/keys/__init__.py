"""What API keys are made of inside: hot rows, keyed hashes, the filter of existing ids, counted uses."""
