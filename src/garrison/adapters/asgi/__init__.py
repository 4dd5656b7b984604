"""The guard as ASGI middleware."""
