"""The tables, as ordered migrations that are never edited once released."""
