"""Lookup types and searching in them: see :mod:`eximious.lookups.search`."""
