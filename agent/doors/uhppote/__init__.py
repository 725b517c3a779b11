"""UHPPOTE 微耕 boards over UDP: their cards, their events, their locks."""
