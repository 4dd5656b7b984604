"""Who may call what, how often, from which origin: read, checked, compiled, explained."""
