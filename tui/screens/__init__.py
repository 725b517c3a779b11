"""The screens, one file each; which there are stands in :mod:`tui.keys`."""
