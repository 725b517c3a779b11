"""Tests of the bindings, against the kernel of this machine."""
