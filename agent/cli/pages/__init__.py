"""Pages of single commands: a case, its receipt, the plan of an act that takes rights."""
