"""The screens, one file each; :mod:`tui.keys` lists them."""
