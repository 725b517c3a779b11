"""The access log: the record that is appended, verified and followed, and a search index that can be rebuilt."""
