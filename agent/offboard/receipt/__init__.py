"""The signed receipt of one revocation: made, printed, verified, compared over time."""
