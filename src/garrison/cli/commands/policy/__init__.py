"""Commands that are about a policy, and open nothing that it names."""
