"""OSDP (IEC 60839-11-5): readers on RS-485 or TCP, spoken to through libosdp."""
