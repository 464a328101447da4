"""What we remember of each visitor's chat: sessions, keys, items, and the operations on them."""
