"""Notes in Django, behind the same guard."""
