"""What single commands print of one thing: a case, its receipt, a plan of what an act takes."""
