"""Checks configurations without evaluating them.

Owns the engine and the rules (``rules/<area>.py``, one registered function a rule). A rule sees the tree
and the names of a configuration and gives diagnostics; it never runs anything and asks no door.
"""
