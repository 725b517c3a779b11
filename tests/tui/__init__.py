"""Tests of the terminal, on a pty and a real agent."""
