"""What is found out about whole films: shots, how films compare, hot pixels."""
