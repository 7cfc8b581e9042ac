"""Scanners of viruses and spam, and how they are asked (manual 45.1 to 45.3).

``malware.py`` and ``spam.py`` are the two conditions: what they take, what is kept for one message, which variables
they set. The protocols are beside them. A scanner is asked through the door of verdicts: a described world answers for
it, and where the real one may be asked, the protocol is spoken over real sockets (or the program is run).
"""
