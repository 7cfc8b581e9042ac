"""A small DNS server for the tests: zone files and their failure modes over UDP and TCP.

Started as a program it serves a folder of zones until its standard input ends, printing its port::

    python tests/dnsserver.py FOLDER [ADDRESS [PORT]]
"""

from __future__ import annotations

import contextlib
import socket
import struct
import sys
import threading
import time


def render(response):
    """The bytes of a response: records in the zone's order, names as they are there (not compressed)."""
    import dns.renderer

    renderer = dns.renderer.Renderer(response.id, response.flags, 65535)
    renderer.compress = None
    for rrset in response.question:
        renderer.add_question(rrset.name, rrset.rdtype, rrset.rdclass)
    for section, rrsets in ((1, response.answer), (2, response.authority)):
        for rrset in rrsets:
            renderer.add_rrset(section, rrset, want_shuffle=False)
    if response.opt is not None:
        renderer.add_opt(response.opt)
    renderer.write_header()
    return renderer.get_wire()


class DnsServer:
    """Serves :class:`eximious.backends.dnszones.Zones`; what no zone covers does not exist."""

    def __init__(self, zones, address="127.0.0.1", port=0):
        self.zones = zones
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind((address, port))
        self.address, self.port = self.udp.getsockname()
        self.tcp = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.tcp.bind((address, self.port))
        self.tcp.listen()
        #: the questions asked: (name, type)
        self.asked = []
        for target in (self._serve_udp, self._serve_tcp):
            threading.Thread(target=target, daemon=True).start()

    def close(self):
        self.udp.close()
        self.tcp.close()

    def respond(self, wire, limit):
        """The response's bytes (None: stay silent) and the seconds to wait before it."""
        import dns.flags
        import dns.message
        import dns.rcode
        import dns.rdatatype

        query = dns.message.from_wire(wire)
        question = query.question[0]
        name, type_ = question.name.to_text(), dns.rdatatype.to_text(question.rdtype)
        self.asked.append((name.rstrip(".").lower(), type_))
        modes = self.zones.modes.of(name, type_)
        if "timeout" in modes:
            return None, 0
        response = self.zones.respond(query)
        if response is None:
            response = dns.message.make_response(query, recursion_available=True)
            response.set_rcode(dns.rcode.NXDOMAIN)
        data = render(response)
        if len(data) > limit:
            short = dns.message.make_response(query, recursion_available=True)
            short.flags |= dns.flags.TC
            data = render(short)
        return data, float(modes.get("slow") or 0)

    def _serve_udp(self):
        while True:
            try:
                wire, peer = self.udp.recvfrom(65535)
            except OSError:
                return
            threading.Thread(target=self._udp_one, args=(wire, peer), daemon=True).start()

    def _udp_one(self, wire, peer):
        data, wait = self.respond(wire, 1232 if len(wire) > 12 and wire[11] else 512)
        if data is not None:
            time.sleep(wait)
            with contextlib.suppress(OSError):
                self.udp.sendto(data, peer)

    def _serve_tcp(self):
        while True:
            try:
                connection, _ = self.tcp.accept()
            except OSError:
                return
            threading.Thread(target=self._tcp_one, args=(connection,), daemon=True).start()

    def _tcp_one(self, connection):
        with connection:
            head = connection.recv(2, socket.MSG_WAITALL)
            if len(head) == 2:
                wire = connection.recv(struct.unpack("!H", head)[0], socket.MSG_WAITALL)
                data, wait = self.respond(wire, 65535)
                if data is not None:
                    time.sleep(wait)
                    connection.sendall(struct.pack("!H", len(data)) + data)


def main():
    from eximious.backends.dnszones import Zones

    address = sys.argv[2] if len(sys.argv) > 2 else "127.0.0.1"
    port = int(sys.argv[3]) if len(sys.argv) > 3 else 0
    server = DnsServer(Zones.load(sys.argv[1]), address, port)
    print(server.port, flush=True)
    sys.stdin.read()
    server.close()


if __name__ == "__main__":
    main()
