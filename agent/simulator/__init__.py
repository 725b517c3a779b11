"""Counterparts made of software: readers, boards, a sender for HR, a volume in a file."""
