"""What is found out about whole films: shots, and how films compare."""
