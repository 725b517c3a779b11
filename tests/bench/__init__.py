"""``make bench``: what the guard costs, as ratios measured in one run."""
