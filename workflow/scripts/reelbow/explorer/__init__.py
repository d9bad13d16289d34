"""Pages to look at: of a film, of all films, and a search over all of them."""
