"""Color spaces and the mapping of HDR and wide gamuts to sRGB."""
