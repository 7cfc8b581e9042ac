"""What redirect routers read: ``data`` and files, lists of items, and what becomes of them (manual 22).

``source`` gets the text, ``items`` takes lists apart. Neither knows the router: they are given what they may do.
"""
