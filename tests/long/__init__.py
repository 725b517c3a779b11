"""The long tests: what takes minutes or hours, in parts that can be interrupted and go on where they were.

``python -m tests.long PART`` runs one, ``--short`` in three minutes at most, and ``report`` prints what came of all of
them. Each part is a file with a ``PART``; what it finds goes to ``build/test-long.jsonl``, one line a run.
"""
