"""Which numbers of a network have names, and what the witnesses are asked about them."""
