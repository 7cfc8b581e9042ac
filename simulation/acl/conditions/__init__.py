"""The conditions and modifiers of ACLs, one declared function each (manual 44.19, 44.22)."""
