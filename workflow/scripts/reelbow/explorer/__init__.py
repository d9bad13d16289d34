"""Films to look at: their previews on the time axis."""
