"""SMTP sessions: what the server says to a client, and why (manual 13, 44, 48).

:class:`~eximious.simulation.smtp.session.SmtpSession` is fed with what a client sends and gives what the server
answers. It opens nothing itself; ``-bh``, ``eximious simulate``, ``eximious serve`` and the API all drive it::

    session = SmtpSession(ctx)               # ctx.session has the client's address
    out = session.start()                    # the greeting
    out = session.feed(b"EHLO client.example\\r\\n")
    out = session.end()                      # the client is gone
    session.closed                           # nothing more is taken
    session.record.events                    # what was decided, phase by phase

A command is a function in the module of its kind (``greeting``, ``envelope``, ``inquiry``, ``content``, ``auth``…),
registered with :func:`~eximious.simulation.smtp.registry.command`.
"""
