"""What is found out about whole films: shots."""
