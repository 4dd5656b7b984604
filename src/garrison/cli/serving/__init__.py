"""What `garrison serve` is made of."""
