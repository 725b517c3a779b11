"""The access log: stage 1 is the record (``append``, ``verify``, ``tail``), stage 2 a rebuildable index of it."""
