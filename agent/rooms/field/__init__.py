"""The doors process as control has it: where it comes from, who it is, and how it is listened to and ended."""
