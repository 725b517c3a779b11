"""Tests of the operations of a case, from its notice until it is closed."""
