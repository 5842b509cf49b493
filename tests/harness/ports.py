"""
Ports for servers that are started a moment later, maybe again and again.

A port that the system gave for port 0 may go to somebody else before the server binds it: every
connection that a daemon makes takes its own end from the same range. So ports are drawn from below
that range, and each belongs to this process until it ends, whatever other test processes do at the
same time: it holds an abstract socket (unix(7)) of the port's name.
"""
import contextlib
import pathlib
import random
import socket

FIRST = 10240
_held = contextlib.ExitStack()


def _take(port):
    with contextlib.ExitStack() as taken:
        name = taken.enter_context(socket.socket(socket.AF_UNIX))
        name.bind(f"\0causerie-test-port-{port}")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
        return taken.pop_all()


def free_port(neighbours=0):
    """A TCP port of 127.0.0.1 for this process alone, and so many more that follow it."""
    end = int(pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    ports = range(FIRST, end - neighbours)
    for port in random.sample(ports, min(len(ports), 1000)):
        with contextlib.ExitStack() as taken, contextlib.suppress(OSError):
            for one in range(port, port + neighbours + 1):
                taken.push(_take(one))
            _held.push(taken.pop_all())
            return port
    raise AssertionError(f"no port is free from {FIRST} to where net.ipv4.ip_local_port_range begins, {end}")
