"""The doors process from the side of control: its origin, its account, its supervision."""
