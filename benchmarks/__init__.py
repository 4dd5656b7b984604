"""How fast, against whom: every figure is a ratio to a rival measured in the same run."""
