"""Mail servers for tests of callouts: scripts that say what each of them answers, over sockets or in memory.

A server has an address 127.0.1.N; N chooses its script from :data:`SCRIPTS`. Started as a program it serves them all
on a port until its standard input ends::

    python tests/smtpserver.py [PORT]

A script maps the start of a command (``BANNER`` for the greeting, ``*`` for every other one) to a reply; the longest
start that fits counts. A reply is text with ``|`` between its lines, ``CLOSE`` (end the connection; behind a reply:
after it), or ``WAIT`` (say nothing). A line that answers a 334 is looked up with ``N> `` before it, N its number.

For each line ``heard`` on its standard input the program writes one line: what clients said since the last one, as
JSON, once they are gone.
"""

from __future__ import annotations

import contextlib
import json
import socket
import sys
import threading
import time

#: what everybody answers where a script says nothing else
COMMON = {
    "BANNER": "220 peer.example ESMTP",
    "EHLO": "250 peer.example",
    "HELO": "250 peer.example",
    "LHLO": "250 peer.example",
    "MAIL": "250 sender fine",
    "RCPT": "250 recipient fine",
    "RCPT TO:<bad": "550 no such user here",
    "RCPT TO:<later": "451 come back later",
    "RCPT TO:<many": "550-first line|550-second line|550 third line",
    "RCPT TO:<odd": "550 odd \x07 bell",
    "RCPT TO:<gone": "CLOSE",
    "RCPT TO:<bye": "421 closing now CLOSE",
    "RCPT TO:<form": "what is this",
    "RCPT TO:<wait": "WAIT",
    "RCPT TO:<three": "354 not now",
    "RSET": "250 reset",
    "AUTH": "235 you are in",
    "1> ": "235 you are in",
    "1> *": "501 as you like",
    "2> ": "235 you are in",
    "2> *": "501 as you like",
    "QUIT": "221 bye CLOSE",
    "*": "500 unknown command",
}
#: an EHLO reply that ends with what is offered
OFFER = "250-peer.example|250-SIZE|250 AUTH"
#: the second message of NTLM, with a domain of its own
CHALLENGE = "TlRMTVNTUAACAAAADAAMADAAAAABggAAASNFZ4mrze8AAAAAAAAAAAAAAAA8AAAARABPAE0AQQBJAE4A"
#: the same with the domain behind its end, and with a domain in ASCII
FARTHER = "TlRMTVNTUAACAAAADAAMADwAAAABggAAASNFZ4mrze8AAAAAAAAAAAAAAAA8AAAARABPAE0AQQBJAE4A"
IN_ASCII = "TlRMTVNTUAACAAAADAAMADAAAAAAggAAASNFZ4mrze8AAAAAAAAAAAAAAAA8AAAARE9NQUlOZG9tYWlu"
#: the last part of a server's address -> what it says otherwise
SCRIPTS: dict[int, dict[str, str]] = {
    1: {},
    2: {"BANNER": "554 go away"},
    3: {"BANNER": "421 busy now"},
    4: {"EHLO": "550 no EHLO from you", "HELO": "550 no HELO from you"},
    5: {"EHLO": "500 what is EHLO"},
    6: {"MAIL FROM:<>": "550 no bounces"},
    7: {"MAIL": "451 sender not now"},
    8: {"RCPT TO:<postmaster": "550 no postmaster"},
    9: {"RCPT TO:<postmaster@": "550 no postmaster of a domain"},
    10: {"RCPT": "550 only good ones", "RCPT TO:<good": "250 good"},
    11: {"BANNER": "CLOSE"},
    12: {"BANNER": "hello there"},
    13: {"EHLO": "250-peer.example|250-SIZE 1000000|250-8BITMIME|250-PIPELINING|250 HELP"},
    14: {"RSET": "CLOSE", "RCPT": "550 only good ones", "RCPT TO:<good": "250 good"},
    15: {"BANNER": "WAIT"},
    16: {"MAIL": "CLOSE"},
    17: {"EHLO": "CLOSE"},
    18: {"EHLO": "450 not now", "HELO": "450 not now either"},
    19: {"MAIL FROM:<>": "550 no bounces", "EHLO": "250-peer.example|250 PIPELINING"},
    21: {"RCPT TO:<postmaster": "451 postmaster later"},
    22: {"RCPT": "451 nobody now", "RCPT TO:<good": "250 good"},
    23: {"EHLO": "250-peer.example|250 STARTTLS", "STARTTLS": "454 no TLS now"},
    24: {"EHLO": "250-peer.example|250 SIZE 10"},
    25: {"BANNER": "220-first line|220 second line ESMTP"},
    27: {"MAIL": "WAIT"},
    28: {"MAIL": "nonsense"},
    29: {"RSET": "550 no reset"},
    30: {"RSET": "WAIT"},
    31: {"HELO": "CLOSE", "EHLO": "550 no EHLO"},
    32: {"HELO": "550 no", "EHLO": "550 no EHLO from you"},
    33: {"EHLO": "CLOSE", "HELO": "250 fine"},
    34: {"BANNER": "554-go|554 away"},
    35: {"EHLO": "WAIT"},
    36: {"EHLO": "250-peer.example|250-8BITMIME|250 PIPELINING", "MAIL": "WAIT"},
    37: {"EHLO": "nonsense"},
    38: {"MAIL": "550-no|550 sender"},
    39: {"RCPT": "550 no", "RSET": "550 no reset"},
    26: {"EHLO": "250-peer.example|250-SIZE|250 AUTH PLAIN", "AUTH": "535 wrong password"},
    # those that offer AUTH
    40: {"EHLO": f"{OFFER} PLAIN LOGIN CRAM-MD5"},
    41: {"EHLO": f"{OFFER} PLAIN LOGIN CRAM-MD5", "AUTH": "535-wrong|535 password"},
    42: {"EHLO": f"{OFFER} PLAIN LOGIN CRAM-MD5", "AUTH": "454 not now"},
    43: {"EHLO": f"{OFFER} PLAIN LOGIN CRAM-MD5", "AUTH": "CLOSE"},
    44: {"EHLO": f"{OFFER} PLAIN LOGIN CRAM-MD5", "AUTH": "WAIT"},
    45: {"EHLO": f"{OFFER} PLAIN LOGIN CRAM-MD5", "AUTH": "nonsense"},
    46: {"EHLO": f"{OFFER} PLAIN LOGIN CRAM-MD5", "AUTH": "334 VXNlciBOYW1lAA==", "1> ": "334 UGFzc3dvcmQA"},
    47: {"EHLO": f"{OFFER} LOGIN", "AUTH": "334 VXNlciBOYW1l", "1> ": "535 no such user"},
    48: {"EHLO": f"{OFFER} LOGIN", "AUTH": "334 VXNlciBOYW1l", "1> ": "334 UGFzc3dvcmQ=", "2> ": "535 no"},
    49: {"EHLO": f"{OFFER} PLAIN LOGIN CRAM-MD5", "AUTH": "334 not base64!"},
    50: {
        "EHLO": f"{OFFER} PLAIN LOGIN CRAM-MD5",
        "AUTH": "334 VXNlciBOYW1l",
        "1> ": "CLOSE",
        "1> *": "CLOSE",
    },
    51: {"EHLO": f"{OFFER} PLAIN LOGIN CRAM-MD5", "AUTH": "334 PDEyMy40NTZAcGVlci5leGFtcGxlPg=="},
    52: {"EHLO": f"{OFFER} CRAM-MD5", "AUTH": "334 PDEyMy40NTZAcGVlci5leGFtcGxlPg==", "1> ": "535 wrong"},
    53: {"EHLO": f"{OFFER} CRAM-MD5", "AUTH": "334 PDEyMy40NTZAcGVlci5leGFtcGxlPg==", "1> ": "435 later"},
    54: {"EHLO": f"{OFFER} PLAIN CRAM-MD5", "AUTH PLAIN": "535 not so", "AUTH CRAM-MD5": "334 PDFAeD4="},
    55: {"EHLO": "250-peer.example|250-AUTH=PLAIN LOGIN|250 SIZE"},
    56: {"EHLO": "250-peer.example|250-auth plain\tlogin |250 AUTH CRAM-MD5"},
    57: {"EHLO": "250-peer.example|250 AUTH"},
    58: {"EHLO": f"{OFFER} PLAINS XPLAIN GSSAPI"},
    59: {
        "EHLO": f"{OFFER} PLAIN|250 PIPELINING".replace("250 AUTH", "250-AUTH"),
        "RSET": "CLOSE",
        "RCPT": "550 no",
    },
    60: {"EHLO": f"{OFFER} PLAIN", "AUTH": "535 wrong", "MAIL": "530 log in first"},
    61: {"EHLO": f"{OFFER} PLAIN LOGIN", "AUTH": "235 CLOSE"},
    62: {"EHLO": f"{OFFER} NTLM", "AUTH": "334 NTLM supported", "1> ": f"334 {CHALLENGE}"},
    63: {"EHLO": f"{OFFER} NTLM", "AUTH": "334 ok", "1> ": f"334 {CHALLENGE}", "2> ": "535 wrong"},
    64: {"EHLO": f"{OFFER} NTLM", "AUTH": "535 none of that"},
    65: {"EHLO": f"{OFFER} NTLM", "AUTH": "334 ok", "1> ": "535 no"},
    66: {"EHLO": f"{OFFER} NTLM", "AUTH": "334 ok", "1> ": "334 not base64!"},
    67: {"EHLO": f"{OFFER} NTLM", "AUTH": "334 ok", "1> ": "CLOSE"},
    68: {"EHLO": f"{OFFER} EXTERNAL PLAIN"},
    69: {"EHLO": f"{OFFER} EXTERNAL PLAIN", "AUTH": "334"},
    70: {"EHLO": f"{OFFER} EXTERNAL PLAIN", "AUTH": "504 no EXTERNAL", "AUTH PLAIN": "235 fine"},
    71: {"EHLO": f"{OFFER} PLAIN LOGIN CRAM-MD5", "AUTH": "334"},
    72: {
        "EHLO": f"{OFFER} PLAIN LOGIN CRAM-MD5",
        "AUTH": "334 PDEyMy40NTZAcGVlci5leGFtcGxlPg==",
        "1> ": "334 more",
    },
    73: {"EHLO": f"{OFFER} NTLM", "AUTH": "235 so soon"},
    74: {"EHLO": f"{OFFER} PLAIN LOGIN CRAM-MD5", "AUTH": "421 bye CLOSE"},
    75: {"EHLO": f"{OFFER} PLAIN LOGIN CRAM-MD5", "AUTH": "334-one|334 Zm91cg=="},
    76: {"EHLO": f"{OFFER} NTLM", "AUTH": "334 ok", "1> ": "235 without a challenge"},
    77: {"EHLO": f"{OFFER} NTLM", "AUTH": "334 ok", "1> ": "334 Zm91cg=="},
    78: {"EHLO": "550 no", "HELO": "250-peer.example|250 AUTH PLAIN"},
    79: {"EHLO": f"{OFFER} PLAIN", "RCPT TO:<post": "550 no postmaster"},
    80: {"EHLO": "250-peer.example|250-AUTH PLAIN X.Y|250 SIZE"},
    81: {"EHLO": "250-peer.example|250-AUTH   LOGIN\tPLAIN|250 SIZE"},
    82: {"EHLO": "250-peer.example|251-AUTH PLAIN|250 SIZE"},
    83: {"EHLO": "250-peer.example|250 auth PLAIN"},
    84: {"EHLO": "250-peer.example|250-AUTH|250 PLAIN"},
    85: {"EHLO": "250-AUTH PLAIN|250 SIZE"},
    86: {"EHLO": "250 AUTH PLAIN"},
    87: {"LHLO": f"{OFFER} PLAIN"},
    88: {"EHLO": f"{OFFER} NTLM", "AUTH": "334 ok", "1> ": f"334 {CHALLENGE}!"},
    89: {"EHLO": f"{OFFER} NTLM", "AUTH": "334 ok", "1> ": f"334 {FARTHER}"},
    90: {"EHLO": f"{OFFER} NTLM", "AUTH": "334 ok", "1> ": f"334 {IN_ASCII}"},
    91: {"EHLO": f"{OFFER} PLAIN LOGIN", "AUTH": "334 VXN lciBO  YW1l", "1> ": "334 UGFzc3dvcmQ"},
    92: {"EHLO": f"{OFFER} PLAIN LOGIN CRAM-MD5", "AUTH": "334 not base64!", "1> *": "CLOSE"},
    93: {"EHLO": f"{OFFER} PLAIN", "AUTH": f"535-{'long ' * 60}|535 {'words ' * 60}"},
    94: {"EHLO": "250-AAAAAAA|250 AUTH PLAIN LOGIN CRAM-MD5", "BANNER": "220 hi", "AUTH": "334"},
    95: {"EHLO": f"{OFFER} PLAIN\x07", "AUTH": "454 a\x07bell"},
    96: {"EHLO": f"{OFFER} PLAIN", "AUTH": "535 a\x07bell"},
    97: {"EHLO": f"{OFFER} PLAIN|250 PIPELINING".replace("250 AUTH", "250-AUTH"), "MAIL": "550 not you"},
}


class Conversation:
    """One connection to a server, in memory: bytes go in, bytes come out."""

    def __init__(self, number: int) -> None:
        self.script = COMMON | SCRIPTS[number]
        self.received = b""
        self.commands: list[str] = []
        self.closed = False
        self.waiting = False
        #: which answer to a 334 comes next, 0: none
        self.answers = 0

    def greeting(self) -> bytes:
        """What the server says at first."""
        return self._reply("BANNER")

    def feed(self, data: bytes) -> bytes:
        """Take what a client sent; gives what the server answers."""
        self.received += data
        out = b""
        while b"\n" in self.received and not self.closed:
            line, _, self.received = self.received.partition(b"\n")
            text = line.decode("latin-1").rstrip("\r")
            self.commands.append(text)
            self.answers += self.answers > 0
            out += self._reply(f"{self.answers - 1}> {text}" if self.answers else text)
        return out

    def _reply(self, command: str) -> bytes:
        starts = [start for start in self.script if command.upper().startswith(start.upper())]
        reply = self.script[max(starts, key=len)] if starts else self.script["*"]
        if reply == "WAIT":
            self.waiting = True
            return b""
        self.answers = max(self.answers, 1) if reply.startswith("334") else 0
        self.closed = reply.endswith("CLOSE")
        text = reply.removesuffix("CLOSE").rstrip()
        return "".join(f"{line}\r\n" for line in text.split("|")).encode("latin-1") if text else b""


class MemorySockets:
    """The door to sockets, with the servers behind it; nothing else answers."""

    def __init__(self, port: int = 25) -> None:
        self.port = port
        #: what was sent to whom: (address, commands)
        self.conversations: list[tuple[str, Conversation]] = []

    def connect(self, spec: str, timeout: float, tls: bool = False, sni: str = "") -> MemoryConnection:
        """See :class:`eximious.interpreter.protocols.Sockets`."""
        host, _, port = spec.removeprefix("inet:").rpartition(":")
        number = int(host.rpartition(".")[2]) if host.startswith("127.0.1.") else 0
        if number not in SCRIPTS or int(port) != self.port:
            raise ConnectionRefusedError(111, "Connection refused")
        conversation = Conversation(number)
        self.conversations.append((host, conversation))
        return MemoryConnection(conversation)


class MemoryConnection:
    """A connection to a server in memory."""

    def __init__(self, conversation: Conversation) -> None:
        self.conversation = conversation
        self.waiting = conversation.greeting()

    def settimeout(self, seconds: float) -> None:
        """Nobody waits here."""

    def send(self, data: bytes) -> None:
        """Send."""
        if self.conversation.closed:
            raise BrokenPipeError(32, "Broken pipe")
        self.waiting += self.conversation.feed(data)

    def recv(self, count: int) -> bytes:
        """Receive; TimeoutError where the server stays silent."""
        if not self.waiting and not self.conversation.closed:
            raise TimeoutError("timed out")
        data, self.waiting = self.waiting[:count], self.waiting[count:]
        return data

    def shutdown(self) -> None:
        """Nothing more is sent."""

    def close(self) -> None:
        """End it."""
        self.conversation.closed = True


def heard(conversations: list[tuple[str, Conversation]]) -> list[str]:
    """What clients said: commands with the last part of the address before them."""
    return [
        f"{address.rpartition('.')[2]}< {command}"
        for address, one in conversations
        for command in one.commands
    ]


#: the conversations over sockets since the last report
conversations: list[tuple[str, Conversation]] = []
open_ones: set[Conversation] = set()


def serve(connection: socket.socket, number: int) -> None:
    """Serve one client over a socket."""
    conversation = Conversation(number)
    conversations.append((f"127.0.1.{number}", conversation))
    open_ones.add(conversation)
    try:
        _converse(connection, conversation)
    finally:
        open_ones.discard(conversation)


def _converse(connection: socket.socket, conversation: Conversation) -> None:
    with connection, contextlib.suppress(OSError):
        connection.sendall(conversation.greeting())
        while not conversation.closed:
            data = connection.recv(65536)
            if not data:
                return
            connection.sendall(conversation.feed(data))


def main() -> int:
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 25

    def accept(listener: socket.socket, number: int) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(connection, number), daemon=True).start()

    for number in SCRIPTS:
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((f"127.0.1.{number}", port))
        listener.listen()
        threading.Thread(target=accept, args=(listener, number), daemon=True).start()
    print(port, flush=True)
    for _ in sys.stdin:
        while open_ones:
            time.sleep(0.01)
        print(json.dumps(heard(conversations)), flush=True)
        conversations.clear()
    return 0


if __name__ == "__main__":
    sys.exit(main())
