"""People, accounts, areas, rooms, grants and records: what decisions rest on, in one SQLite file.

``store`` opens a change and ``repositories`` write in it; ``facts`` reads for decisions, by the functions of ``rows``;
``queries`` reads for people. Nothing is imported here: the guard reads facts and stays on the standard library.
"""
