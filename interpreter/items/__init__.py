"""Expansion items ``${name{...}{...}}`` (manual 11.5), by theme; each module registers its own."""
