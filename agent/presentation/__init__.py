"""Presentation shared by every client: terms for codes, sentences on states, and tables in columns. Pure."""
