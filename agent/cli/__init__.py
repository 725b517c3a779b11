"""The command line: a client of the control process, one file per noun, and the only place that prints."""
