"""Address rewriting: the rules of the rewrite section and of ``headers_rewrite`` (manual 31).

``rules`` applies a list of rules to one address, ``addresses`` to those of an envelope, ``headers`` to header lines,
``domains`` changes a domain in header lines when a router has found its full name.
"""
