"""Rows as frozen data for decisions and doors, read in a transaction that the caller holds."""
