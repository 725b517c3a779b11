"""Departures inside the agent: cut by the control process, finished by a process of their own.

The revocation itself is :mod:`agent.offboard`; here is who starts it, who carries it on, and how the two processes
talk.
"""
