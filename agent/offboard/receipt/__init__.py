"""The signed receipt of one revocation: issued, printed, verified, compared over time."""
