"""
Bytes that no daemon of ours would send, on the daemons' own ports: refused, counted, survived.

The daemons call each other over TCP here, as on several machines: whoever reaches a port may say
anything. (nanomsg's unix sockets trust their user: a wrong byte of framing there ends the process.)
Each daemon gets everything; after each test it must be the same process and serve on.
"""
import random
import struct

import pytest
import requests

from harness.deployment import Deployment
from harness.frames import (ANSWERS, CALLS, INVALID, NOT_FOUND, OK, PING, PONG, PUB, REP, REQ, TIMED_OUT, Caller, Wire,
                            entry, field, frame, request, sealed, varint)
from harness.ports import free_port

SERVICES = ("accounts", "topics", "comments", "notifications", "related")
# A harmless question to each, and what it is answered.
QUESTIONS = {
    "accounts": ("causerie.Accounts/FindSession", field(1, b"x" * 32), NOT_FOUND),
    "topics": ("causerie.Topics/GetTopic", field(1, 999999), NOT_FOUND),
    "comments": ("causerie.Comments/GetComment", field(1, 999999), NOT_FOUND),
    "notifications": ("causerie.Notifications/GetFollow", field(1, 999999), OK),
    "related": ("causerie.Related/ListRelated", field(1, 999999), NOT_FOUND),
}
RSS_GROWTH = 64 << 20


@pytest.fixture(scope="module")
def site():
    settings = {}
    for name in SERVICES:
        settings[f"CAUSERIE_{name.upper()}_LISTEN"] = settings[f"CAUSERIE_{name.upper()}_PEERS"] = \
            f"tcp://127.0.0.1:{free_port(neighbours=1)}"  # hints go to the next one
    with Deployment(settings=settings) as running:
        running.add_expertises()
        yield running


@pytest.fixture(scope="module")
def key(site):
    return bytes.fromhex((site.folder / "rpc.key").read_text().strip())


@pytest.fixture(scope="module", params=SERVICES)
def daemon(site, request):
    return site.replicas(request.param)[0]


@pytest.fixture(autouse=True)
def unharmed(daemon, key):
    """The same process, not much fatter, answering as before."""
    before, size = daemon.process.pid, resident(daemon)
    yield
    assert daemon.alive() and daemon.process.pid == before
    assert resident(daemon) - size < RSS_GROWTH
    with Wire(address(daemon)) as wire:
        assert ask_harmlessly(daemon, Caller(wire, key)).code == QUESTIONS[daemon.name][2]


def address(daemon):
    host, port = daemon.site.environment[f"CAUSERIE_{daemon.name.upper()}_LISTEN"].removeprefix("tcp://").split(":")
    return host, int(port)


def resident(daemon):
    with open(f"/proc/{daemon.process.pid}/statm") as statm:
        return int(statm.read().split()[1]) * 4096


def counted(daemon, name):
    for line in daemon.admin("/metrics").text.splitlines():
        if line.startswith(name + " "):
            return int(float(line.split()[-1]))
    raise AssertionError(f"no metric {name}")


def frames_refused(daemon, reason):
    return counted(daemon, f'causerie_rpc_frames_refused_total{{reason="{reason}"}}')


def requests_refused(daemon, reason):
    return counted(daemon, f'causerie_rpc_requests_refused_total{{reason="{reason}"}}')


def executed(daemon):
    """How often the harmless question was; others come all the time."""
    return counted(daemon, f'causerie_rpc_served_milliseconds_count{{method="{QUESTIONS[daemon.name][0]}"}}')


def harmless(daemon):
    method, body, _ = QUESTIONS[daemon.name]
    return request(method, body)


def ask_harmlessly(daemon, caller):
    return caller.ask(harmless(daemon))


@pytest.fixture
def wire(daemon):
    with Wire(address(daemon)) as connection:
        yield connection


@pytest.fixture
def caller(wire, key):
    return Caller(wire, key)


def settle(wire, key):
    """Returns once what was sent on this connection before has been read."""
    return Caller(wire, key)


# --- below the frames: nanomsg's own bytes


GREETINGS = [b"", b"\x00", b"\x00SP\x00", b"GET / HTTP/1.1\r\n\r\n", b"\x00SP\x01" + struct.pack(">HH", REQ, 0),
             b"\x00SP\x00" + struct.pack(">HH", REP, 0), b"\x00SP\x00" + struct.pack(">HH", PUB, 0), b"\xff" * 4096]


def test_garbage_instead_of_a_greeting_is_hung_up_on(daemon):
    for greeting in GREETINGS:
        with Wire(address(daemon), greet=False) as wire:
            wire.raw(greeting)


@pytest.mark.parametrize("length", [0, 1, 3, 2**20 + 1, 2**31, 2**32, 2**63, 2**64 - 1])
def test_a_message_of_a_strange_length_ends_its_connection_alone(daemon, key, length):
    with Wire(address(daemon)) as other, Wire(address(daemon)) as wire:
        caller = Caller(other, key)
        wire.raw(struct.pack(">Q", length) + b"x" * 64)
        assert ask_harmlessly(daemon, caller).code == QUESTIONS[daemon.name][2]


@pytest.mark.parametrize("hops", [b"", b"\x00\x00\x00\x01", b"\x00\x00\x00\x01" * 20, b"\x00\x00\x00\x01" * 7 + b"\x80\x00\x00\x01"])
def test_a_request_with_other_than_one_hop_is_not_read(daemon, key, hops):
    before = executed(daemon)
    with Wire(address(daemon)) as wire:
        wire.send(frame(key, PING, entry(1, b"n" * 8)), hop=hops)
    assert executed(daemon) == before


def test_many_silent_connections_do_no_harm(daemon):
    wires = [Wire(address(daemon), greet=n % 2 == 0) for n in range(200)]
    for wire in wires:
        wire.socket.close()


# --- frames


def test_a_frame_under_another_key_is_counted_and_never_answered(daemon, wire, key):
    before, done = frames_refused(daemon, "forged"), executed(daemon)
    for n in range(5):
        wire.send(frame(bytes([n]) * 32, PING, entry(1, b"n" * 8)))
        wire.send(frame(bytes([n]) * 32, CALLS, entry(1, harmless(daemon))))
    settle(wire, key)
    assert frames_refused(daemon, "forged") == before + 10
    assert executed(daemon) == done


def test_every_flipped_bit_of_a_frame_is_noticed(daemon, wire, key):
    whole = frame(key, CALLS, entry(1, harmless(daemon)))
    before, done = sum(frames_refused(daemon, why) for why in ("forged", "malformed")), executed(daemon)
    chance = random.Random(1)
    for at in range(len(whole)):
        wire.send(whole[:at] + bytes([whole[at] ^ 1 << chance.randrange(8)]) + whole[at + 1:])
    settle(wire, key)
    assert sum(frames_refused(daemon, why) for why in ("forged", "malformed")) == before + len(whole)
    assert executed(daemon) == done


def test_a_frame_cut_anywhere_is_noticed_even_with_the_key(daemon, wire, key, caller):
    content = caller.calls(entry(1, harmless(daemon)))[32:]
    before, done = sum(frames_refused(daemon, why) for why in ("forged", "malformed", "replayed")), executed(daemon)
    for size in range(len(content)):
        wire.send(sealed(key, content[:size])[:32 + size])
    settle(wire, key)
    refused = sum(frames_refused(daemon, why) for why in ("forged", "malformed", "replayed"))
    assert refused >= before + len(content) - 2  # a frame without entries is one: it says what was seen
    assert executed(daemon) == done


@pytest.mark.parametrize("kind", [0, PONG, ANSWERS, 5, 255])
def test_a_kind_that_is_not_a_servers_to_read_is_malformed(daemon, wire, key, kind):
    before = frames_refused(daemon, "malformed")
    wire.send(frame(key, kind, entry(1, harmless(daemon))))
    settle(wire, key)
    assert frames_refused(daemon, "malformed") == before + 1


@pytest.mark.parametrize("version", [0, 2, 255])
def test_a_frame_of_another_version_is_malformed(daemon, wire, key, version):
    before = frames_refused(daemon, "malformed")
    wire.send(frame(key, PING, entry(1, b"n" * 8), version=version))
    settle(wire, key)
    assert frames_refused(daemon, "malformed") == before + 1


@pytest.mark.parametrize("entries", [b"x", struct.pack("<IQ", 2**32 - 1, 1), struct.pack("<IQ", 100, 1) + b"short",
                                     entry(1, b"ok") + b"rest", struct.pack("<IQ", 0x7FFFFFFF, 1) + b"x" * 100])
def test_entries_whose_sizes_do_not_add_up_are_malformed(daemon, caller, entries):
    before, done = frames_refused(daemon, "malformed"), executed(daemon)
    caller.wire.send(caller.calls(entries))
    settle(caller.wire, caller.key)
    assert frames_refused(daemon, "malformed") == before + 1
    assert executed(daemon) == done


def test_a_frame_sent_again_is_not_executed_again(daemon, caller):
    whole = caller.calls(entry(1, harmless(daemon)))
    caller.wire.send(whole)
    caller.answer(1)
    before, done = frames_refused(daemon, "replayed"), executed(daemon)
    for _ in range(3):
        caller.wire.send(whole)
    assert ask_harmlessly(daemon, caller).code == QUESTIONS[daemon.name][2]
    assert frames_refused(daemon, "replayed") == before + 3
    assert executed(daemon) == done + 1


def test_a_frame_of_another_connection_is_not_executed(daemon, key, caller):
    whole = caller.calls(entry(1, harmless(daemon)))
    before, done = requests_refused(daemon, "stale"), executed(daemon)
    with Wire(address(daemon)) as other:
        other.send(whole)
        settle(other, key)
    assert requests_refused(daemon, "stale") == before + 1
    assert executed(daemon) == done


# --- requests, from somebody who has the key


def nested(depth):
    message = b""
    for _ in range(depth):
        message = field(8, message)
    return message


ENVELOPES = {
    "empty": b"",
    "one byte": b"\x08",
    "an endless varint": b"\x08" + b"\xff" * 11,
    "a length beyond the end": b"\x12\xff\xff\xff\xff\x0f",
    "a group": b"\x0b\x0c",
    "field number 0": b"\x00\x01",
    "34 kB of nesting": nested(11000),
    "nothing but unknown fields": b"".join(field(100 + n, n) for n in range(2000)),
    "half a million empty viewers": b"\x42\x00" * 200000,
    "a method that is no text": field(1, 1) + field(2, b"\xff\xfe"),
    "a method with NUL": field(1, 1) + field(2, b"causerie.Topics/GetTopic\x00x"),
    "a method too long": field(1, 1) + field(2, "x" * 5000),
    "no such method": request("causerie.Topics/DropEverything", b""),
    "no such service": request("causerie.Nothing/GetTopic", b""),
    "a method's path": request("../../etc/passwd", b""),
    "roles that do not exist": request("causerie.Topics/GetTopic", field(1, 1), viewer=field(1, 1) + field(2, 255)),
    "another version": request("causerie.Topics/GetTopic", field(1, 1), version=2),
    "too much time": request("causerie.Topics/GetTopic", field(1, 1), remaining_ms=3600000),
    "a key with a line end": request("causerie.Topics/GetTopic", field(1, 1), extra=field(4, "a\r\nb")),
}


@pytest.mark.parametrize("what", ENVELOPES)
def test_a_hostile_envelope_is_invalid_and_counted(daemon, caller, what):
    before, done = requests_refused(daemon, "invalid"), executed(daemon)
    answer = caller.ask(ENVELOPES[what])
    assert answer.code in (INVALID, TIMED_OUT)
    if answer.code == INVALID:
        assert requests_refused(daemon, "invalid") == before + 1
    assert executed(daemon) == done


BODIES = [b"\xff", b"\x08", b"\x08" + b"\xff" * 11, b"\x0a\xff\xff\xff\xff\x0f", nested(11000), b"\x0b" * 1000,
          b"".join(field(1000 + n, n) for n in range(500)), b"\x12\x00" * 100000, varint(2**64 - 1) * 100]


def test_a_hostile_body_is_invalid_and_counted(daemon, caller):
    method = QUESTIONS[daemon.name][0]
    for body in BODIES:
        before = requests_refused(daemon, "invalid")
        assert caller.call(method, body).code == INVALID, body[:20]
        assert requests_refused(daemon, "invalid") == before + 1


def test_text_that_is_no_utf_8_never_reaches_a_handler(site, key):
    calls = {"accounts": ("causerie.Accounts/ForgotPassword", 1), "topics": ("causerie.Topics/ListTopics", 4),
             "comments": ("causerie.Comments/ListComments", 2), "notifications": ("causerie.Notifications/Unsubscribe", 1),
             "related": ("causerie.Related/FindSimilar", 1)}
    for name, (method, number) in calls.items():
        target = site.replicas(name)[0]
        with Wire(address(target)) as wire:
            caller, before = Caller(wire, key), requests_refused(target, "invalid")
            for text in (b"\xff", b"a\x00b", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80"):
                assert caller.call(method, field(1, 1) * (name == "comments") + field(number, text)).code == INVALID
            assert requests_refused(target, "invalid") == before + 5


def test_a_request_that_is_too_late_is_not_executed(daemon, caller):
    done = executed(daemon)
    caller.time -= 60000  # as if it had been under way for a minute
    assert ask_harmlessly(daemon, caller).code == TIMED_OUT
    assert executed(daemon) == done


def test_mutations_of_honest_requests_kill_nobody(daemon, key, caller):
    chance = random.Random(2)
    honest = harmless(daemon)
    for _ in range(300):
        broken = bytearray(honest)
        for _ in range(chance.randrange(1, 6)):
            at = chance.randrange(len(broken))
            broken[at:at + chance.randrange(3)] = chance.randbytes(chance.randrange(3))
            broken = broken or bytearray(b"\x00")
        assert caller.ask(bytes(broken)).code != 0


def test_the_site_served_all_the_while(site, daemon):
    assert requests.get(f"{site.url}/sujets", timeout=10).status_code == 200
    member = site.member(f"Témoin {chr(ord('A') + SERVICES.index(daemon.name))}")
    assert member.get("/me")["id"] == member.id
