"""What the guard costs around an application."""
