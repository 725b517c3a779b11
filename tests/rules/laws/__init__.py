"""Laws of the decision, as property tests over whole worlds."""
