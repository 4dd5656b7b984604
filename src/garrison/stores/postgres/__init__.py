"""Records and journal in PostgreSQL, for any number of machines."""
