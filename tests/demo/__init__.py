"""Tests of the demo: its story, its site, what it leaves behind."""
