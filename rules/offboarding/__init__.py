"""The procedure of a departure 离岗办理 as a pure state machine."""
