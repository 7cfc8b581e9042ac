"""The conditions of ``${if`` whose arguments are plain expanded text (manual 11.8).

One module per family; importing a module registers its conditions. Combinators, iterators and what
needs raw arguments (``and``, ``forany``, ``match``, ``acl``, ``def``) belong to the compiler.
"""
