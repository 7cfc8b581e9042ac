"""The engine of the ACLs (manual chapter 44).

``engine`` runs an ACL for a phase and gives a result with its messages; ``program`` takes ACLs apart once;
``conditions`` holds one declared function per condition and modifier, ``controls`` one per ``control=``;
``state`` is what ACLs leave behind. Nothing here speaks SMTP: replies are made by whoever runs a phase.
"""
