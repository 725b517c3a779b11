"""HR's channel: the spool directory, signed notices and their faults, answers in the outbox."""
