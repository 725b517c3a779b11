"""Queries of the registry for people: lists and dossiers of everything on file, including what has ended."""
