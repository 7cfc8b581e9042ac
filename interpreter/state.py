"""The four state objects an evaluation reads: Environment, Session, Message, Address.

Attributes carry the names of the variables that show them; :mod:`eximious.interpreter.variables` says which
row of the language facts is read from which. A fresh object holds what a real Exim has before
anything happened (``exim -be`` without a message), so only what is known need be set.

Text that came from outside (SMTP commands, headers, the command line) must be stored as
:class:`~eximious.interpreter.text.Tainted`: taint belongs to the value, not to the variable. Defaults
are class attributes, so an object costs what was set on it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from eximious.interpreter import protocols
    from eximious.interpreter.context import Context
    from eximious.interpreter.headers import Header
    from eximious.interpreter.language import Language


class Doors:
    """The doors to the outside, one per protocol; made by the composition root.

    Each is given as itself, or as a function in ``lazy`` that makes it when it is first used. A door that is
    neither is not there: using it is an AttributeError, which no composition root leaves possible.
    """

    __slots__ = (
        "_lazy",
        "_options",
        "chance",
        "clock",
        "databases",
        "environ",
        "files",
        "machine",
        "processes",
        "resolver",
        "sockets",
        "users",
        "verdicts",
    )

    chance: protocols.Chance
    clock: protocols.Clock
    databases: Any
    environ: protocols.Environ
    files: protocols.Files
    machine: protocols.Machine
    processes: protocols.Processes
    resolver: protocols.Resolver
    sockets: protocols.Sockets
    users: protocols.Users
    verdicts: protocols.Verdicts

    def __init__(self, *, lazy: Mapping[str, Callable[[], Any]] | None = None, **doors: Any) -> None:
        self._lazy = lazy or {}
        self._options: Any = None
        for name, door in doors.items():
            setattr(self, name, door)

    def __getattr__(self, name: str) -> Any:
        make = None if name.startswith("_") else self._lazy.get(name)
        if make is None:
            raise AttributeError(f"there is no door {name}")
        door = make()
        if self._options is not None and hasattr(door, "use_options"):
            door.use_options(self._options)
        setattr(self, name, door)
        return door

    def use_options(self, options: Any) -> None:
        """Tell the doors the main options that matter to them (timezone, keep_environment, spool_directory).

        ``options``: has ``get(name)``; it is asked when a door needs an answer, not now.
        """
        self._options = options
        for name in self.__slots__:
            if not name.startswith("_"):
                try:
                    door = object.__getattribute__(self, name)
                except AttributeError:
                    continue
                if hasattr(door, "use_options"):
                    door.use_options(options)


class Environment:
    """Frozen for a run: what the configuration says, version and build, doors, budget.

    ``options``: main options by name, typed values (those of the language tables; unset ones absent or
    None). ``named_lists``: kind letter (``d h a l``) -> name -> the list's text. ``acls``: name -> parsed
    ACL. ``version``: (4, 99). ``build``: the set of build features that are compiled in.

    Facts about the process that stands for Exim's: ``caller_uid`` and ``caller_gid`` (who called),
    ``exim_uid`` and ``exim_gid``, ``initial_cwd``, ``compile_date`` and ``compile_number`` (of the build
    described). ``version_text`` is what ``$version_number`` shows unless the option exim_version is set.
    """

    def __init__(
        self, *, version: tuple[int, int], options: dict[str, Any], doors: Doors, **more: Any
    ) -> None:
        self.version = version
        self.options = options
        self.doors = doors
        doors.use_options(options)
        self.named_lists: dict[str, dict[str, str]] = more.get("named_lists") or {
            "d": {},
            "h": {},
            "a": {},
            "l": {},
        }
        self.hidden_lists: set[tuple[str, str]] = more.get("hidden_lists") or set()
        self.acls: dict[str, Any] = more.get("acls") or {}
        self.catalogue: Any = more.get("catalogue")
        self.configuration: Any = more.get("configuration")
        self.config_file: str = more.get("config_file") or ""
        self.primary_hostname: str = more.get("primary_hostname") or ""
        self.version_text: str = more.get("version_text") or f"{version[0]}.{version[1]}"
        self.compile_date: str = more.get("compile_date") or ""
        self.compile_number: str = more.get("compile_number") or "1"
        self.initial_cwd: str = more.get("initial_cwd") or ""
        #: None: asked of the machine, or of the option exim_user and the system's users
        self.caller_uid: int | None = more.get("caller_uid")
        self.caller_gid: int | None = more.get("caller_gid")
        self.exim_uid: int | None = more.get("exim_uid")
        self.exim_gid: int | None = more.get("exim_gid")
        #: (kind letter, name) of named lists kept although they hold a ``$`` (domainlist_cache, manual 10.8)
        self.cached_lists: set[tuple[str, str]] = more.get("cached_lists") or set()
        #: the lists that were taken apart (see eximious.conditions.lists.program)
        self.lists: Any = None
        self.language: Language = more.get("language") or _language(self.catalogue, version)
        #: what the lookups keep open and have found (see eximious.lookups.handles)
        self.searches: Any = None
        #: what is worked out once and kept for the run, by whoever does it
        self.kept: dict[str, Any] = {}
        #: runs ACLs for expansions: (context, name, arguments) -> (result, message for the client)
        self.acl_runner: Callable[[Context, str, list[str]], tuple[str, str]] | None = more.get("acl_runner")
        #: takes what Exim would log: (line, where); see eximious.interpreter.logs
        self.log: Any = more.get("log")
        #: addresses are tested (``-bt`` and its kin): lookups of hosts that fail are not logged then
        self.log_testing = False


def _language(catalogue: Any, version: tuple[int, int]) -> Language:
    from eximious.interpreter.language import Language

    if catalogue is None:
        from eximious.grammar.catalogue import Catalogue

        catalogue = Catalogue(version)
    return Language(catalogue)


class Tls:
    """One side's TLS state: ``$tls_in_...`` or ``$tls_out_...``. Certificates are PEM text or None."""

    active = False
    bits = 0
    certificate_verified = 0
    cipher = ""
    cipher_std = ""
    dane = False
    ocsp = 0
    ourcert: Any = None
    peercert: Any = None
    peerdn = ""
    resumption = 0
    sni = ""
    tlsa_usage = 0
    ver = ""


class Session:
    """The connection: who connected, HELO, TLS, authentication, ``$acl_c…``.

    ``acl_c``: full variable name ("acl_c0", "acl_c_foo") -> value. ``auth``: ``$auth1`` and on.
    ``sender_host_name`` is None as long as nobody looked it up; ``sender_host_unknown``: never look.
    """

    atrn_host = ""
    atrn_mode = ""
    authenticated_fail_id = ""
    authenticated_id = ""
    authenticated_sender = ""
    authentication_failed = 0
    callout_address = ""
    connection_id = ""
    csa_status = ""
    dnslist_domain = ""
    dnslist_matched = ""
    dnslist_text = ""
    dnslist_value = ""
    host_data = ""
    host_lookup_deferred = 0
    host_lookup_failed = 0
    #: what Exim adds where it says that the look-up failed
    host_lookup_msg = ""
    proxy_external_address = ""
    proxy_external_port = 0
    proxy_local_address = ""
    proxy_local_port = 0
    proxy_session = False
    received_ip_address = ""
    received_port = -1
    received_protocol = ""
    sender_fullhost = ""
    sender_helo_dnssec = False
    sender_helo_name = ""
    sender_helo_verified = ""
    sender_host_address = ""
    sender_host_authenticated = ""
    sender_host_dnssec = False
    sender_host_name: str | None = None
    sender_host_port = 0
    sender_host_unknown = False
    sender_ident = ""
    sender_rate = ""
    sender_rate_limit = ""
    sender_rate_period = ""
    sender_rcvhost = ""
    #: None: primary_hostname
    smtp_active_hostname: str | None = None
    smtp_command = ""
    smtp_command_argument = ""
    #: the verbs received, oldest first
    smtp_command_history: tuple[str, ...] = ()
    smtp_count_at_connection_start = 0
    smtp_notquit_reason = ""

    def __init__(self) -> None:
        self.acl_c: dict[str, str] = {}
        #: what ACLs did (see eximious.simulation.acl.state); None: none has run
        self.acl: Any = None
        self.auth: list[str] = []
        self.tls_in = Tls()
        #: aliases of a host found by its address, as written in the DNS
        self.sender_host_aliases: list[str] = []


class Message:
    """The message: envelope, headers, body, ``$acl_m…``.

    ``acl_m``: full variable name -> value. ``headers``: header lines in order, None before there are any.
    ``body``: as received, lines ended by LF. ``message_body`` and ``message_body_end``: None means that
    they are made from ``body``. ``filter_running``: ``$n0``… and ``$sn0``… exist only then.
    ``enable_dollar_recipients``: ``$recipients`` is empty without it.
    """

    acl_verify_message = ""
    arc_domains = ""
    arc_oldest_pass = 0
    arc_state = ""
    arc_state_reason = ""
    av_failed = 0
    body: bytes = b""
    body_linecount = 0
    body_zerocount = 0
    bounce_recipient = ""
    dcc_header = ""
    dcc_result = ""
    demime_errorlevel = 0
    demime_reason = ""
    dkim_algo = ""
    dkim_bodylength = "9999999999999"
    dkim_canon_body = ""
    dkim_canon_headers = ""
    dkim_copiedheaders = ""
    dkim_created = "0"
    dkim_cur_signer = ""
    dkim_domain = ""
    dkim_expires = "9999999999999"
    dkim_headernames = ""
    dkim_identity = ""
    dkim_key_granularity = "*"
    dkim_key_length = 0
    dkim_key_nosubdomains = "0"
    dkim_key_notes = ""
    dkim_key_srvtype = "*"
    dkim_key_testing = "0"
    dkim_selector = ""
    #: what was found of each signature (see eximious.simulation.acl.signers)
    dkim_signatures: Sequence[Any] = ()
    dkim_signers = ""
    dkim_verify_reason = ""
    dkim_verify_signers = ""
    dkim_verify_status = ""
    dmarc_alignment_dkim = ""
    dmarc_alignment_spf = ""
    dmarc_ar_header = ""
    dmarc_domain_policy = ""
    dmarc_status = ""
    dmarc_status_text = ""
    dmarc_used_domain = ""
    enable_dollar_recipients = True
    #: the sender that log lines of refusals show, where a submission has changed it
    sender_unrewritten = ""
    event_data = ""
    event_defer_errno = 0
    event_name = ""
    filter_running = False
    found_extension = ""
    #: target character set of $h_, where a filter file changed it; None: headers_charset
    headers_charset: str | None = None
    local_scan_data = ""
    malware_name = ""
    max_received_linelength = 0
    message_age = 0
    message_body: str | None = None
    message_body_end: str | None = None
    message_body_size = 0
    message_exim_id = ""
    message_linecount = 0
    message_size = 0
    message_smtputf8 = False
    mime_anomaly_level = 0
    mime_anomaly_text = ""
    mime_boundary = ""
    mime_charset = ""
    mime_content_description = ""
    mime_content_disposition = ""
    mime_content_id = ""
    mime_content_size = 0
    mime_content_transfer_encoding = ""
    mime_content_type = ""
    mime_decoded_filename = ""
    mime_filename = ""
    mime_is_coverletter = 0
    mime_is_multipart = 0
    mime_is_rfc822 = 0
    mime_part_count = -1
    originator_gid = 0
    originator_uid = 0
    prdr_requested = False
    queue_name = ""
    rcpt_count = 0
    rcpt_defer_count = 0
    rcpt_fail_count = 0
    received_count = 0
    received_for = ""
    received_time = 0
    recipient_verify_failure = ""
    #: None: the number of recipients
    recipients_count: int | None = None
    regex_match_string = ""
    requiretls = False
    sender_address = ""
    sender_verify_failure = ""
    spam_action = ""
    spam_bar = ""
    spam_report = ""
    spam_score = ""
    spam_score_int = ""
    spf_header_comment = ""
    spf_received = ""
    spf_result = ""
    spf_result_guessed = False
    spf_smtp_comment = ""
    thisaddress = ""
    tpda_defer_errno = 0
    tpda_defer_errstr = ""
    tpda_delivery_confirmation = ""
    tpda_delivery_domain = ""
    tpda_delivery_fqdn = ""
    tpda_delivery_ip = ""
    tpda_delivery_local_part = ""
    tpda_delivery_port = 0
    warn_message_delay = ""
    warn_message_recipients = ""

    def __init__(self) -> None:
        self.acl_m: dict[str, str] = {}
        self.headers: list[Header] | None = None
        #: header lines that add_header has added so far, as $headers_added shows them
        self.added_headers: list[str] = []
        self.recipients: list[str] = []
        #: captures of regex= and mime_regex=
        self.regex: list[str] = []
        #: the accumulators of a filter, and their copies from the system filter
        self.n: list[int] = [0] * 10
        self.sn: list[int] = [0] * 10


class Address:
    """The address being handled: what routing, transports and list matching know about it.

    ``router_variables``: full variable name ("r_foo") -> value. ``tls_out``: the outgoing connection;
    while its ``active`` is set, the old names (``$tls_cipher``…) mean it and not the incoming one.
    """

    address_data = ""
    address_file = ""
    address_pipe = ""
    bmi_alt_location = ""
    bmi_base64_tracker_verdict = ""
    bmi_base64_verdict = ""
    bmi_deliver = 1
    domain = ""
    domain_data = ""
    home = ""
    host = ""
    host_address = ""
    host_port = 0
    inode = 0
    local_part = ""
    local_part_data = ""
    local_part_prefix = ""
    local_part_prefix_v = ""
    local_part_suffix = ""
    local_part_suffix_v = ""
    local_user_gid = 0xFFFFFFFF
    local_user_uid = 0xFFFFFFFF
    mailstore_basename = ""
    original_domain = ""
    original_local_part = ""
    parent_domain = ""
    parent_local_part = ""
    recipient_data = ""
    return_path = ""
    router_name = ""
    self_hostname = ""
    sender_address_data = ""
    sender_data = ""
    sending_ip_address = ""
    sending_port = -1
    srs_db_address = ""
    srs_db_key = ""
    srs_orig_recipient = ""
    srs_orig_sender = ""
    srs_status = ""
    transport_name = ""
    verify_mode = ""

    def __init__(self) -> None:
        self.router_variables: dict[str, str] = {}
        self.tls_out = Tls()


def apply_origin(environment: Environment, session: Session, message: Message, **facts: Any) -> None:
    """Set who sends and from where: the login of the caller, ``-f`` and the ``-oM`` options (manual 5.2).

    See :func:`eximious.interpreter.origin.apply_origin`, which this is.
    """
    from eximious.interpreter import origin

    origin.apply_origin(environment, session, message, **facts)
