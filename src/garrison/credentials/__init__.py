"""Credentials: what is presented to prove who one is. One file for each kind, one protocol for all."""
