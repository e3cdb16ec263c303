"""Kills, full and broken disks, clocks that jump: what verbs leave, and whether they resume."""
