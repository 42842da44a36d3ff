"""Marathons: the engine as a process of its own under kills, faults, full disks and power cuts."""
