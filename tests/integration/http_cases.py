"""The raw HTTP cases of the unit test, for the running gateway.

tests/unit/gateway/http_cases.inc is the one list. A case here is its name, its bytes, the status
it must get (200 means accepted: whatever the route answers) and whether the connection must end.
"""

import ast
import re
import socket
from pathlib import Path
from typing import NamedTuple

SOURCE = Path(__file__).parent.parent / "unit" / "gateway" / "http_cases.inc"
LINE = re.compile(r'^CASE\("(\w+)", (\d+), (STAYS|CLOSES), (".*")\)$', re.M)
REPETITION = re.compile(rb"\{([^{}]+)\*(\d+)\}", re.S)


class Case(NamedTuple):
    name: str
    bytes: bytes
    status: int
    closes: bool


def _bytes(text):
    """C and Python read the escapes of the list alike."""
    raw = ast.literal_eval("b" + text)
    return REPETITION.sub(lambda m: m[1] * int(m[2]), raw)


CASES = [Case(name, _bytes(text), int(status), closes == "CLOSES")
         for name, status, closes, text in LINE.findall(SOURCE.read_text())]

SECOND = b"GET /smuggled HTTP/1.1\r\nHost: site.test\r\nConnection: close\r\n\r\n"


def send(address, data):
    """Sends bytes on a connection of their own; returns what comes back until the gateway closes it.

    Our side stays open: a client that hangs up is not answered any more.
    """
    with socket.create_connection(address, timeout=10) as connection:
        try:
            connection.sendall(data)
        except OSError:
            pass  # it was closed on us while we were still sending, as it should be
        return _read_all(connection)


def _read_all(connection):
    answer = b""
    try:
        while piece := connection.recv(65536):
            answer += piece
    except ConnectionResetError:
        pass
    return answer


def statuses(answer, to_head=False):
    """The status of every answer in the bytes; one to HEAD, which can only be first, has no body."""
    found = []
    while answer.startswith(b"HTTP/1.1 "):
        head, _, rest = answer.partition(b"\r\n\r\n")
        length = re.search(rb"\r\nContent-Length: (\d+)", head)
        skip = int(length[1]) if length and not (to_head and not found) else 0
        found.append(int(head[9:12]))
        answer = rest[skip:]
    return found
