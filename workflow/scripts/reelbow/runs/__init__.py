"""A whole run: its configuration and films, what it asks for, what is told of it."""
