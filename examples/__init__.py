"""Complete applications, each guarded by a policy."""
