"""The command line: a client of the control process, a file a noun, and the only place that prints."""
