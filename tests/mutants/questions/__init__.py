"""Questions with an answer that lets something through or does not, the same ones each time, many of each kind.

Each module has ``questions()``: pairs of a function and its arguments, whose answer is the set of what is let through,
in words. A mutant lets more through when an answer has a word that it had not.
"""
