"""Counterparts made of software: readers, boards, HR's sender, a volume in a file. For demo, tests and benches."""
