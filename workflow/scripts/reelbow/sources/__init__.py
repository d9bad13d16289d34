"""How the plan of each kind of source is made; `reelbow.shards.kinds` lists them."""
