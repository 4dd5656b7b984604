"""Records and journal in one SQLite file: read in place, written by one thread that groups commits."""
