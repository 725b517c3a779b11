"""Tests of volumes on throw-away filesystems."""
