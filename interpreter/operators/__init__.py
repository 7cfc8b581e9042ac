"""Expansion operators ``${name:text}`` (manual 11.6), by theme; each module registers its own."""
