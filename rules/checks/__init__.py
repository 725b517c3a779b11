"""The rules: small pure functions, one idea a file.

Each takes a :class:`rules.evaluation.RuleContext` and returns a :class:`rules.model.RuleResult`, or ``None`` where the
rule has nothing to say about this resource. None of them reads a clock but the case's, and none knows what the others
found.
"""
