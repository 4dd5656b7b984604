"""What operators ask a running service: its figures, and whether it is fit to serve."""
