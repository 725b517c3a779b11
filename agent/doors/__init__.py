"""The unprivileged doors process: the drivers of readers and boards, and the link to the control process."""
