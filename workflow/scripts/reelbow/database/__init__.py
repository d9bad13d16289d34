"""SQLite: the schema, writing, merging, reading."""
