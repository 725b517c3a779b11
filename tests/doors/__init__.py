"""Tests of the doors process and its drivers, against simulated devices over the real protocols."""
