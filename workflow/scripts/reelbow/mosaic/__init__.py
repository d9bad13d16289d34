"""A picture made of frames: its tiles, which of them is where, and how it is drawn."""
