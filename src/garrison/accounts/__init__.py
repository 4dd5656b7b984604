"""People who register and log in here."""
