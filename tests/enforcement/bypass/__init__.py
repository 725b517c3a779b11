"""Ways around the guard, tried on the real kernel: each is refused to those who may not, and open to those who may."""
