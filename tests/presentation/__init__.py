"""Tests of what the terminal and the command line draw with."""
