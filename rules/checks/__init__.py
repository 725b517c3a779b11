"""Checks: the rules as small pure functions, one subject a file.

Each takes a :class:`rules.evaluation.RuleContext` and returns a :class:`rules.model.RuleResult`, or ``None`` where the
rule does not apply to this resource. A rule reads only the clock of its context and does not know the results of the
others.
"""
