"""offboarding."""
