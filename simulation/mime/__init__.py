"""MIME parts, and what looks into messages: the walker for ``acl_smtp_mime``, decoding, regular expressions.

What a session calls, in this order, when a message has been received (manual 44.2, 45):

``run_dkim_acl(ctx, text)`` of :mod:`eximious.simulation.acl.signers`
    runs ``acl_smtp_dkim`` for each signer; also to be called where that is not set (``text`` None), since variables
    and ``${authresults`` depend on it. ``passing_domain(ctx)`` there is what the arrival's log line shows;
``run_mime_acl(ctx, text)`` of :mod:`eximious.simulation.mime.walk`
    runs ``acl_smtp_mime`` (or ``acl_not_smtp_mime``) for each part. Gives an
    :class:`~eximious.simulation.acl.outcomes.AclResult` of the phase ``mime``: accept to go on, discard where the
    message is to be dropped, anything else to be answered as a refusal;
the ACLs for PRDR and DATA (or ``acl_not_smtp``)
    their conditions ``regex``, ``malware`` and ``spam`` look at the message through :func:`scan_of`;
``unspool(ctx)`` of :mod:`eximious.simulation.mime.mailbox`
    after the last of them: removes what was really written to the spool directory.

Before the first of these ``ctx.message`` has its envelope (``sender_address``, ``recipients``), ``headers`` with the
Received: line, ``body`` and ``message_exim_id``. What is kept between them lives in the message's
:class:`~eximious.simulation.acl.state.MessageEffects`, which ends with the message.
"""
