"""Tests of the operations, a file a family, through the socket."""
