"""Films to look at: pages of one file each, previews, the search over all films."""
