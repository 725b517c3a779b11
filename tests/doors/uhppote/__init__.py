"""Tests of UHPPOTE boards, honest, odd and lying."""
