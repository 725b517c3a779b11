"""Languages: the catalogues of every sentence by its code, and their rendering (contract C10)."""
