"""The guard as WSGI middleware."""
