"""The agent: its processes, its command line, and what they are made of. Imports ``rules``; never the terminal."""
