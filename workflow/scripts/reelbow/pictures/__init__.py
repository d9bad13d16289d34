"""One picture in memory, and in a file."""
