"""Revocation 权限收回: notices from HR, plan, run step by step, proof, receipt.

Rules of this package: it does not import the guard, the rooms or the control process; what it needs of them is passed
in.
"""
