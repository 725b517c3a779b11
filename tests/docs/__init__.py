"""Documentation: pages that are made from the program, and tests that the others say what is true of it."""
