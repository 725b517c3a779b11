"""The daemon and the command line. Imports ``rules``; never the terminal."""
