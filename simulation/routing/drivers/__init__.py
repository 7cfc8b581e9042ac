"""The router drivers, one module each; a module registers itself when its driver is first used."""
