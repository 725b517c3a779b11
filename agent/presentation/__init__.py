"""What every client shows alike: terms for codes, and tables in columns. Pure."""
