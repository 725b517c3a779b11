"""The access log: the record that is appended, verified and followed, and an index of it that can be rebuilt."""
