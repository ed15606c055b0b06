"""One account's story, and the two stages that run many of them."""
