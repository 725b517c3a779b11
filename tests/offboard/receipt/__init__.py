"""Tests of receipts: made, printed, verified, forged."""
