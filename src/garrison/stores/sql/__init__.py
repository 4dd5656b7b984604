"""What stores of records in SQL databases share: statements, steps, the chain, and the one writer of a process."""
