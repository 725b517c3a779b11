"""People, accounts, areas, rooms, grants and records: what decisions rest on, in one SQLite file.

``facts`` reads for decisions and is standard library only, because the guard imports it; ``store`` writes; ``lists``
reads for people. Nothing is imported here, so that ``import agent.registry.facts`` stays light.
"""
