"""How columns are declared, in the words that several tables share.

Rules of this file: released migrations are made of these words, so none of them ever changes; a new one may join.
"""

WORD = "TEXT NOT NULL DEFAULT ''"
TRUTH = "INTEGER NOT NULL CHECK ({0} IN (0, 1))"
LEVEL = "INTEGER NOT NULL CHECK (level BETWEEN 0 AND 4)"
PERSON = "TEXT NOT NULL REFERENCES people (id)"
RESOURCE = "INTEGER NOT NULL REFERENCES resources (key)"
