"""Pages to look at: one file each, which opens without any network."""
