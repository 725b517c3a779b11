"""Block devices and images: what is on them, who holds them, made into volumes, opened and closed again."""
