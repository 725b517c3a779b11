"""Departures: the inbox HR writes to, the plan, the run, the proof.

Rules of this package: it does not import the guard, the doors or the inspection; what it needs of them is passed in.
"""
