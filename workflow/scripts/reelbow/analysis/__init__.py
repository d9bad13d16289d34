"""What is found out of films' palettes and mean colors, once they are there."""
