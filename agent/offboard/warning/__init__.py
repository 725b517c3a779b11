"""A word to the holder of a right before it ends by itself: on their terminals, and in their mail."""
