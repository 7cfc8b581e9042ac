"""An address while it is routed: what is known of it, and what came of it (manual 3.8 to 3.14)."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from eximious.interpreter.state import Address, Tls
from eximious.interpreter.text import follow

if TYPE_CHECKING:
    from eximious.conditions.lists.program import Kept
    from eximious.grammar.config_model import Instance
    from eximious.interpreter.hosts import Host

#: what an address is beside a mail address
PIPE, FILE, REPLY = "pipe", "file", "reply"


class RoutedAddress(Address):
    """One address on its way through the routers; ``ctx.address`` is it while it is handled.

    The attributes of :class:`~eximious.interpreter.state.Address` are what the variables show
    (``local_part`` with prefix and suffix taken off while a router wants that, ``domain``, ``home``,
    ``router_name``, ``address_data``, ``router_variables``…). Defaults are class attributes; lists are
    replaced, never changed in place.

    ``address``: as it is shown and reported. ``unique``: by what duplicates are told. ``caseful`` and
    ``caseless``: the local part as received and in lower case. ``kept``: what named lists said of it before.
    ``parent``: the address it came from. ``start_router``: where to go on in the chain (None: at its start).
    ``kind``: "" for a mail address, or PIPE, FILE, REPLY for what redirection made. ``errors_to``: where bounces
    go (None: nothing said; "": nowhere). ``extra_headers`` and ``removed_headers``: what headers_add and
    headers_remove came to. ``hosts``: the hosts for a remote transport, in order of use; ``fallback_hosts`` as
    texts. ``message``: why it failed or was deferred, for the log and ``-bt``; ``user_message``: what a client may
    see instead of it. ``special_action``: freeze or "". ``errno``: Exim's number for a deferral (ERRNO_…, 0:
    none). ``uid``, ``gid``, ``initgroups``: for the transport, None: not set.
    """

    address = ""
    unique = ""
    kept: tuple[Kept, Kept] | None = None
    caseful = ""
    caseless = ""
    parent: RoutedAddress | None = None
    start_router: Instance | None = None
    router: Instance | None = None
    transport: Instance | None = None
    kind = ""
    #: the pipe's or file's text, the mail or the text that an autoreply sends
    errors_to: str | None = None
    extra_headers: tuple[str, ...] = ()
    removed_headers = ""
    hosts: tuple[Host, ...] = ()
    fallback_hosts: tuple[str, ...] = ()
    message: str | None = None
    user_message: str | None = None
    special_action = ""
    errno = 0
    uid: int | None = None
    gid: int | None = None
    initgroups = False
    #: what a callout failed for: "", null sender or postmaster
    callout_failure = ""
    child_count = 0
    #: the pipes, files and replies it was redirected to
    special_children: tuple[RoutedAddress, ...] = ()
    #: set by redirect's one_time: the parent that a later run must not do again
    onetime_parent = ""
    # ---- flags
    #: it came from a redirection that hides it from bounces (hide_child_in_errmsg)
    hide_child = False
    #: its local part is compared with its case
    caseful_local_part = False
    #: the error message may be shown to the client
    pass_message = False
    #: sent again to the router it came from is no loop (repeat_use, caller's choice)
    allow_repeat = False
    #: how many copies ``unseen`` made on the way to it
    unseen_copies = 0
    #: its routing had to be verified only (verify_only)
    verify_only = False
    dsn_lasthop = False
    #: local-part prefix and suffix were taken off by the router in hand
    affixes_removed = False
    #: the home and current folder that the router says, unexpanded text or None
    home_dir: str | None = None
    current_dir: str | None = None
    #: self = send: the remote host may be this host
    self_send = False
    #: host_randomize etc. have been done
    hosts_randomized = False
    #: DNSSEC: whether the domain's records were signed (None: nobody asked)
    dnssec: bool | None = None
    #: the user and group names or numbers that the router said, once worked out
    data_set_by_router = False

    #: nothing is sent, so all of them have the same one
    tls_out = Tls()

    def __init__(self) -> None:
        self.router_variables: dict[str, str] = {}

    def inherit(self, parent: RoutedAddress) -> None:
        """Take over what is handed down from an address to what came of it."""
        self.errors_to = parent.errors_to
        self.extra_headers, self.removed_headers = parent.extra_headers, parent.removed_headers
        self.address_data = parent.address_data
        self.domain_data, self.local_part_data = parent.domain_data, parent.local_part_data
        self.router_variables = dict(parent.router_variables) if parent.router_variables else {}
        self.hide_child, self.dsn_lasthop = parent.hide_child, parent.dsn_lasthop

    # ---- what the variables about its ancestors show

    @property
    def first(self) -> RoutedAddress:
        """The address that came in, of which this one is a descendant, or itself."""
        found = self
        while found.parent is not None:
            found = found.parent
        return found

    @property
    def original_domain(self) -> str:  # type: ignore[override]
        """``$original_domain``: the domain of the address that came in."""
        return self.first.domain

    @property
    def original_local_part(self) -> str:  # type: ignore[override]
        """``$original_local_part``: likewise its local part, in the case that the last router saw."""
        return self.first.whole_local_part

    @property
    def parent_domain(self) -> str:  # type: ignore[override]
        """``$parent_domain``: the domain of the address this one came from."""
        return self.parent.domain if self.parent is not None else ""

    @property
    def parent_local_part(self) -> str:  # type: ignore[override]
        """``$parent_local_part``: likewise its local part."""
        return self.parent.whole_local_part if self.parent is not None else ""

    @property
    def whole_local_part(self) -> str:
        """The local part with the prefix and suffix that a router took off."""
        local_part = self.local_part
        if not self.local_part_prefix and not self.local_part_suffix:
            return local_part
        return follow(f"{self.local_part_prefix}{local_part}{self.local_part_suffix}", local_part)

    def __repr__(self) -> str:
        return f"RoutedAddress({str(self.address)!r}, router={self.router_name!r})"


class Queues:
    """Where addresses end: Exim's queues.

    ``new``: to be routed still. ``local`` and ``remote``: accepted for a local or a remote transport.
    ``failed``, ``deferred``: with ``message``. ``succeeded``: done without a transport (discarded, or
    replaced by children).
    """

    __slots__ = ("deferred", "failed", "local", "new", "remote", "succeeded")

    def __init__(self) -> None:
        self.new: deque[RoutedAddress] = deque()
        self.local: list[RoutedAddress] = []
        self.remote: list[RoutedAddress] = []
        self.failed: list[RoutedAddress] = []
        self.deferred: list[RoutedAddress] = []
        self.succeeded: list[RoutedAddress] = []
