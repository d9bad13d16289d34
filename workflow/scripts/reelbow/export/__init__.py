"""Tables of a film and swatches of its palette, for other programs."""
