"""Where things are kept: three protocols, and a leaf for each kind of store."""
