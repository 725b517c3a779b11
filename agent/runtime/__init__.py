"""Runtime common to every process: home, settings, clock, channel, files and supervised children."""
