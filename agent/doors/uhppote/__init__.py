"""uhppote."""
