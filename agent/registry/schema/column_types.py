"""Column declarations that several tables share.

Rules of this file: released migrations use these declarations, so none of them ever changes; new ones may be added.
"""

WORD = "TEXT NOT NULL DEFAULT ''"
TRUTH = "INTEGER NOT NULL CHECK ({0} IN (0, 1))"
LEVEL = "INTEGER NOT NULL CHECK (level BETWEEN 0 AND 4)"
PERSON = "TEXT NOT NULL REFERENCES people (id)"
RESOURCE = "INTEGER NOT NULL REFERENCES resources (key)"
