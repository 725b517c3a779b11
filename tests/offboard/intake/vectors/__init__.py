"""Vectors of right and wrong tokens by what is attacked, and what each must come to.

    python -m tests.offboard.intake.vectors

writes them to ``tokens/``. What each must come to is written here by hand, from docs/hr-integration.md.
"""
