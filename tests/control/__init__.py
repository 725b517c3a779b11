"""Tests of the control process with its handlers, on a registry and a log of its own."""
