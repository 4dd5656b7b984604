"""Counters in Redis or Valkey, decided by the server's own scripts; needs the extra `redis`."""
