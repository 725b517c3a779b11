"""The catalogues: every code in both languages, and every sentence used."""
