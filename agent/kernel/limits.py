"""Numbers the holder and the decider must agree on."""

# RLIMIT_NOFILE of the decider: more than its batch and its remembered tasks need, and the bound of the sweep that
# answers, by number, what a dead decider left unanswered.
DESCRIPTORS = 2048
BATCH = 64  # events per read: what one append, and one fsync, serve together
