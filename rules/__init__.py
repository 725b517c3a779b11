"""The decision core: pure functions over frozen data.

Nothing in this package performs I/O, reads a clock or keeps state; ``now`` is an argument everywhere.
It imports a pure part of the standard library and nothing else (a failing check in ``make test``).
"""
