"""Volumes: the filesystems of areas, planning and placing their protection, and proof that it works."""
