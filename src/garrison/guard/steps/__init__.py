"""The steps of the path, each a function from facts to the next fact or a refusal."""
