"""osdp."""
