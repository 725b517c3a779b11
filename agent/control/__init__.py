"""The control process: the local API, the three roles, the registry's only writer."""
