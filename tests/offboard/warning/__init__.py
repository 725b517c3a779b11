"""Tests of the word a holder gets before something ends."""
