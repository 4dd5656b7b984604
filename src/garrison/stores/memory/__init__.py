"""Stores that live in one process and end with it: for tests, and for counters."""
