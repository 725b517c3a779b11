"""HR's channel: the spool directory, signed notices and what is wrong with them, answers in the outbox."""
