"""The registry: people, accounts, areas, rooms, grants and records, in one SQLite file, as the basis of decisions.

``store`` opens a change and ``repositories`` write it; ``facts`` reads for decisions, with the functions of ``rows``;
``queries`` reads for people. Nothing is imported here: the guard reads facts and uses the standard library only.
"""
