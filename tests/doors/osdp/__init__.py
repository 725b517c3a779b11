"""Tests of OSDP readers, honest and hostile."""
