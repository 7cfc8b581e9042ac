"""The rules, a module per area; each rule is a registered function whose docstring explains it."""
