"""The agent: its processes, its command line, and their parts. Imports ``rules``; never the terminal."""
