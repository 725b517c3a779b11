"""Broken input for every parser: whatever takes bytes or text from somebody else, and what it may do with them."""
