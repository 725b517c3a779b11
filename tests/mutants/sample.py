"""Something to mutate in a test."""


def reaches(held: int, needed: int) -> bool:
    """Whether *held* is enough."""
    return held >= needed
