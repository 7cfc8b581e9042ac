"""Routing: where an address goes, and why (manual chapters 3.8 to 3.11, 15 to 22).

``address`` holds what routing knows of an address, ``results`` what a router may say, ``registry`` the declarations
of drivers, ``run`` what a driver is given and what all drivers share, ``engine`` the chain of routers with their
preconditions, ``verify`` how ``-bt``, ``-bv`` and ``verify =`` ask for one address. One driver is one module in
``drivers/``. Nothing here delivers.
"""
