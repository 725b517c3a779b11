"""The panel of one room as a pure state machine: an event in, a new state and effects out."""
