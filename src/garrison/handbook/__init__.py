"""The handbook chapter's classes under its own names, thin over the native packages."""
