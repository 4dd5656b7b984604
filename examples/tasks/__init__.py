"""The tasks API: register, log in, keep tasks."""
