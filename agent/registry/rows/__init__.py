"""From rows to frozen data: what decisions rest on and what doors ask, read in a transaction that the caller holds."""
