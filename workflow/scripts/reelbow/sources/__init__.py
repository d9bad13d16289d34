"""How the plan of each kind of source is made."""
