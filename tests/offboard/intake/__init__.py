"""Tests of HR's channel: tokens good and bad, the spool, the outbox."""
