"""The one path every request takes, whatever adapter it came through."""
