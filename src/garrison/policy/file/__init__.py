"""The policy as a TOML file: lines, environments, writing, and the schema for editors."""
