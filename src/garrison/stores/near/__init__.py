"""What a process keeps of counters that it shares: refusals, units taken in advance, and what to do without them."""
