"""What every process stands on: home, settings, clock, channel, capabilities, children that are kept alive."""
