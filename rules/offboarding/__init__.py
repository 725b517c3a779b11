"""The offboarding procedure 离岗离职办理 as a pure state machine."""
