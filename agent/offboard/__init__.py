"""Revocation: what comes in from HR, the plan, the run step by step, the proof, the receipt.

Rules of this package: it does not import the guard, the rooms or the control process; what it needs of them is passed
in.
"""
