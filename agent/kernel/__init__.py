"""Linux bindings without policy: fanotify, subjects, mounts, labels, open files, walks."""
