"""
The wire between daemons, byte by byte: nanomsg's own framing (SP over TCP), the frames of
services/lib/frame.h inside it, and as much protobuf as a test needs. All of it can be spoken wrongly.

    with Wire(("127.0.0.1", port)) as wire:    # one connection to a daemon's rpc port
        caller = Caller(wire, key)
        code = caller.call("causerie.Topics/GetTopic", field(1, 7)).code
"""
import collections
import hashlib
import hmac
import itertools
import secrets
import socket
import struct

REQ, REP, PUB = 0x30, 0x31, 0x20
PING, PONG, CALLS, ANSWERS = 1, 2, 3, 4
OK, NOT_FOUND, INVALID, TIMED_OUT = 1, 2, 3, 12

Answer = collections.namedtuple("Answer", "code detail body")


# --- protobuf


def varint(number):
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes(out + bytes([number]))


def field(number, value):
    """An integer as varint, text and bytes with their length."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    value = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(value)) + value


def fields_of(message):
    """The fields of a well-formed message, by number; the last of each."""
    found, at = {}, 0

    def number():
        nonlocal at
        value = shift = 0
        while True:
            byte = message[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(message):
        tag = number()
        value = number()
        if tag & 7 == 2:
            value, at = message[at:at + value], at + value
        found[tag >> 3] = value
    return found


def request(method, body, version=1, remaining_ms=5000, viewer=b"", **more):
    envelope = field(1, version) + field(2, method) + field(3, remaining_ms) + field(6, "test") + field(7, "test")
    if viewer:
        envelope += field(8, viewer)
    return envelope + more.get("extra", b"") + field(9, body)


# --- frames


def sealed(key, content):
    return hmac.new(key, content, hashlib.sha256).digest() + content


def entry(id, message):
    return struct.pack("<IQ", len(message), id) + message


def frame(key, kind, entries=b"", version=1, flags=0, connection=0, position=1, seen=0, time=0):
    return sealed(key, struct.pack("<BBBBIQQq", version, kind, flags, 0, connection, position, seen, time) + entries)


class Wire:
    """A connection that speaks SP as a nanomsg socket does, unless told otherwise."""

    def __init__(self, address, protocol=REQ, greet=True):
        self.socket = socket.create_connection(address, timeout=5)
        if greet:
            self.raw(b"\x00SP\x00" + struct.pack(">HH", protocol, 0))
            assert self._take(8) == b"\x00SP\x00" + struct.pack(">HH", REP, 0)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def raw(self, data):
        self.socket.sendall(data)

    def send(self, payload, hop=None):
        """One message; hop is the requester's own number with its highest bit set."""
        hop = struct.pack(">I", 0x80000001) if hop is None else hop
        self.raw(struct.pack(">Q", len(hop + payload)) + hop + payload)

    def receive(self):
        """The payload of the next message, without its hop."""
        return self._take(*struct.unpack(">Q", self._take(8)))[4:]

    def _take(self, size):
        data = b""
        while len(data) < size:
            piece = self.socket.recv(size - len(data))
            if not piece:
                raise ConnectionResetError("the daemon hung up")
            data += piece
        return data


class Caller:
    """A client that has the key and keeps to the protocol."""

    def __init__(self, wire, key):
        self.wire = wire
        self.key = key
        self.seen = 0
        self.positions = itertools.count(1)
        self.ids = itertools.count(1)
        nonce = secrets.token_bytes(8)
        wire.send(frame(key, PING, entry(1, nonce), position=next(self.positions)))
        head, entries = self._receive(PONG)
        assert entries == [(1, nonce)]
        self.connection, self.time = head["connection"], head["time"]

    def _receive(self, kind):
        while True:
            message = self.wire.receive()
            mac, content = message[:32], message[32:]
            assert hmac.compare_digest(mac, hmac.new(self.key, content, hashlib.sha256).digest())
            _, found, _, _, connection, position, _, time = struct.unpack_from("<BBBBIQQq", content)
            self.seen = position
            if found == kind:
                return {"connection": connection, "time": time}, self._entries(content[32:])

    @staticmethod
    def _entries(data):
        found = []
        while data:
            size, id = struct.unpack_from("<IQ", data)
            found.append((id, data[12:12 + size]))
            data = data[12 + size:]
        return found

    def calls(self, *entries):
        """A frame of calls, ready to be sent; entries are packed ones."""
        return frame(self.key, CALLS, b"".join(entries), connection=self.connection, position=next(self.positions),
                     seen=self.seen, time=self.time)

    def send(self, envelope):
        id = next(self.ids)
        self.wire.send(self.calls(entry(id, envelope)))
        return id

    def answer(self, id):
        while True:
            for found, response in self._receive(ANSWERS)[1]:
                if found == id:
                    fields = fields_of(response)
                    return Answer(fields.get(2, 0), fields.get(3, b"").decode(), fields.get(5, b""))

    def ask(self, envelope):
        """Sends an envelope, whatever is in it; the answer."""
        return self.answer(self.send(envelope))

    def call(self, method, body=b"", **more):
        return self.ask(request(method, body, **more))
