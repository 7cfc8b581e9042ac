"""The addresses of this host's network interfaces, from the kernel (Linux; elsewhere the loopback only)."""

from __future__ import annotations


def running_interfaces() -> list[str]:
    """Give the addresses of all interfaces that are up: IPv4 first, then IPv6."""
    return _ipv4() + _ipv6() or ["127.0.0.1", "::1"]


def _ipv4() -> list[str]:
    import socket
    import struct

    try:
        import fcntl
    except ImportError:
        return []
    size = 64 * 40
    while True:
        import array

        buffer = array.array("B", bytes(size))
        address, _ = buffer.buffer_info()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            try:
                # SIOCGIFCONF
                result = fcntl.ioctl(sock.fileno(), 0x8912, struct.pack("iL", size, address))
            except OSError:
                return []
        used = struct.unpack("iL", result)[0]
        if used < size - 40:
            break
        size *= 2
    data = buffer.tobytes()[:used]
    step = 40 if struct.calcsize("P") == 8 else 32
    return [socket.inet_ntoa(data[at + 20 : at + 24]) for at in range(0, used, step)]


def _ipv6() -> list[str]:
    import socket

    try:
        with open("/proc/net/if_inet6", encoding="ascii") as file:
            lines = file.read().split("\n")
    except OSError:
        return []
    return [socket.inet_ntop(socket.AF_INET6, bytes.fromhex(line.split()[0])) for line in lines if line]
