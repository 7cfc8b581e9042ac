"""The four list matchers: domain, local part, address and host lists (manual chapter 10).

``program`` takes a list apart and runs it over a subject, with named lists, files and negation;
``strings``, ``addresses`` and ``hosts`` each know what one item of their kind of list may be; ``match``
is what the rest of the package calls. Nothing here decides what a match is used for.
"""
