"""Offboarding in the agent: the control process cuts access, a separate process does the rest.

The revocation itself is :mod:`agent.offboard`; this package starts and continues it, and connects the two processes.
"""
