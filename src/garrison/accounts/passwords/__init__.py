"""Passwords: which ones are taken, and how they are hashed without starving anybody."""
