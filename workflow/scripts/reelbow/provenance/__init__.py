"""How results were made, in words that can be cited and in a form for machines."""
