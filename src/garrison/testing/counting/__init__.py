"""What every store of counters promises, in parts; `garrison.testing.counters` puts them together."""
