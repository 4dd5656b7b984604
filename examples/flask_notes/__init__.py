"""Notes in Flask, behind the same guard."""
