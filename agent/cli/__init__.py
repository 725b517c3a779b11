"""The command line: a client of the control process, and the only place that prints."""
