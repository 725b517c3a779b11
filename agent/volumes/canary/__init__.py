"""Canaries: access attempts by an unassigned uid that prove that the guard refuses (contract C11)."""
