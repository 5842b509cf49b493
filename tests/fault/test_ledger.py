"""
What was acknowledged is there, once, whatever was killed.

Eight members write; comments, notifications and the gateway are killed at random, fifty times, and
come back as under a supervisor. The first kills of notifications wait until the mail server has
taken a mail and not yet said so, the one moment at which nobody can know what became of it. Each
writer keeps a ledger of what it asked for and what it was told; a request without an answer is
repeated with the same key. Afterwards the ledger is compared with the database and with what the
mail server took:

- every acknowledged comment is there once, with its text, and nothing that nobody asked for;
- every comment has one event, the events are numbered densely, and every consumer has read them all;
- one mail for every (comment, person), and a second copy only where the dialogue was cut after the
  final dot, and then under the same Message-ID. The mail server is the witness: whoever says QUIT
  after a mail knows that it was taken, and has written so down.
"""
import collections
import random
import re
import secrets
import signal
import threading
import time

import pytest
import requests

from harness.deployment import Deployment
from harness.patience import eventually

pytestmark = pytest.mark.timeout(600)  # what was killed settles within 180 s
KILLS = 50
IN_DIALOGUE = 3
WRITERS = 8
PAUSE_SECONDS = 0.15  # between a writer's comments, the longest: every one of them becomes two mails to take
VICTIMS = ("comments", "notifications", "gateway")
GIVE_UP_SECONDS = 60
SETTINGS = {"CAUSERIE_MAIL_LEASE": "10s", "CAUSERIE_MAIL_UNKNOWN_PAUSE": "1s", "CAUSERIE_SMTP_TIMEOUT": "5s"}

Entry = collections.namedtuple("Entry", "key body parent writer id")


class Writer(threading.Thread):
    """Posts until told to stop; every key ends acknowledged, or the test fails."""

    def __init__(self, member, topic, parents, over):
        super().__init__(daemon=True)
        self.member = member
        self.topic = topic
        self.parents = parents
        self.over = over
        self.ledger = []
        self.repeated = 0
        self.failure = None

    def run(self):
        try:
            while not self.over.is_set():
                self.post(random.choice(self.parents))
                time.sleep(random.uniform(0, PAUSE_SECONDS))
        except Exception as error:  # the thread's end is judged by the test
            self.failure = error

    def post(self, parent):
        key, body = secrets.token_hex(8), f"Réaction {secrets.token_hex(8)}"
        deadline = time.monotonic() + GIVE_UP_SECONDS
        while True:
            answer = self.ask(key, body, parent)
            if answer is not None and answer.status_code == 201:
                self.ledger.append(Entry(key, body, parent, self.member.id, answer.json()["id"]))
                return
            assert answer is None or answer.status_code in (503, 502), f"{answer.status_code} {answer.text}"
            assert time.monotonic() < deadline, "nobody answered for a minute"
            self.repeated += 1
            time.sleep(0.05)

    def ask(self, key, body, parent):
        try:
            return self.member.request("POST", f"/topics/{self.topic}/comments",
                                       {"body": body, "parent_id": parent}, key=key, timeout=10)
        except requests.RequestException:
            return None


class Hesitation:
    """How long the mail server waits between taking a mail and saying so; on demand, until the sender is dead."""

    def __init__(self):
        self.wanted = threading.Event()
        self.held = threading.Event()

    def __call__(self):
        if self.wanted.is_set():
            self.wanted.clear()
            self.held.set()
            return GIVE_UP_SECONDS
        return random.uniform(0, 0.02)

    def hold_next(self):
        """Returns when a mail was taken and its sender is left in the dark."""
        self.held.clear()
        self.wanted.set()
        assert self.held.wait(GIVE_UP_SECONDS), "no mail came"


def kill_at_random(site, seed):
    """Until so many really died of it; how many of each."""
    chance = random.Random(seed)
    killed = collections.Counter()
    while killed.total() < KILLS:
        time.sleep(chance.uniform(0.05, 0.4))
        victim = chance.choice(site.replicas(chance.choice(VICTIMS)))
        if victim.alive():
            if victim.name == "notifications" and killed[victim.name] < IN_DIALOGUE:
                site.mail.hesitate.hold_next()
            process = victim.process
            victim.crash()
            killed[victim.name] += process.returncode == -signal.SIGKILL
    return killed


@pytest.fixture(scope="module")
def aftermath():
    seed = secrets.randbits(32)
    print(f"seed {seed}")
    with Deployment(revive=True, fsync=True, settings=SETTINGS) as site:
        site.mail.hesitate = Hesitation()
        site.add_expertises()
        organizer = site.organizer()
        proposer = site.member("Proposante")
        topic = site.open_topic(proposer, organizer)["id"]
        members = [site.member(f"Membre {chr(ord('A') + n)}") for n in range(WRITERS)]
        parents = [m.post(f"/topics/{topic}/comments", {"body": f"Racine de {m.id}"}) for m in members[:3]]
        over = threading.Event()
        writers = [Writer(member, topic, [p["id"] for p in parents], over) for member in members]
        for writer in writers:
            writer.start()
        killed = kill_at_random(site, seed)
        over.set()
        for writer in writers:
            writer.join(GIVE_UP_SECONDS + 10)
        site.wait_ready()
        with site.database("notifications") as connection, connection.cursor() as cursor:
            eventually(lambda: settled(site, cursor), seconds=180)
        yield site, topic, proposer, parents, members, killed, writers


def head(site, owner):
    with site.database(owner) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT last FROM outbox_head")
        return cursor.fetchone()[0]


def settled(site, cursor):
    """Every event was read and no mail is under way."""
    cursor.execute("SELECT source, seq FROM cursors")
    if any(seq != head(site, source) for source, seq in cursor.fetchall()):
        return False
    cursor.execute("SELECT count(*) FROM deliveries WHERE state IN ('queued', 'sending', 'deferred', 'unknown')")
    cursor.connection.commit()
    return cursor.fetchone()[0] == 0


def test_the_writers_wrote_and_were_disturbed(aftermath):
    *_, killed, writers = aftermath
    print(f"killed: {dict(killed)}")
    assert killed.total() == KILLS and all(killed[name] > 0 for name in VICTIMS)
    assert [w.failure for w in writers if w.failure] == []
    assert sum(len(w.ledger) for w in writers) > 100
    assert sum(w.repeated for w in writers) > 0, "no request was disturbed: the kills proved nothing"


def test_every_acknowledged_comment_is_there_once_and_nothing_else(aftermath):
    site, topic, _, parents, _, _, writers = aftermath
    ledger = {int(e.id): e for w in writers for e in w.ledger}
    assert len(ledger) == sum(len(w.ledger) for w in writers), "two keys were answered with one comment"
    with site.database("comments") as connection, connection.cursor() as cursor:
        cursor.execute("SELECT id, body, parent_id, author_id FROM comments WHERE topic_id = %s", (topic,))
        rows = {row[0]: row[1:] for row in cursor.fetchall()}
        cursor.execute("SELECT comments FROM threads WHERE topic_id = %s", (topic,))
        assert cursor.fetchone()[0] == len(rows)
    roots = {int(p["id"]) for p in parents}
    assert set(rows) - roots == set(ledger)
    wrong = [e for id, e in ledger.items() if rows[id] != (e.body, int(e.parent), int(e.writer))]
    assert wrong == []


def test_every_comment_has_one_event_and_the_numbers_are_dense(aftermath):
    site, *_ = aftermath
    with site.database("comments") as connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*), count(DISTINCT aggregate_id) FROM outbox WHERE type = 'comment.posted'")
        events, distinct = cursor.fetchone()
        cursor.execute("SELECT count(*) FROM comments")
        assert (events, distinct) == (cursor.fetchone()[0],) * 2
        cursor.execute("SELECT count(*), count(seq), min(seq), max(seq), (SELECT last FROM outbox_head) FROM outbox")
        total, numbered, first, last, announced = cursor.fetchone()
        assert (numbered, first, last, announced) == (total, 1, total, total)


def test_one_mail_for_every_comment_and_person(aftermath):
    site, topic, proposer, parents, members, killed, writers = aftermath
    address = {member.id: member.email for member in members + [proposer]}
    author = {parent["id"]: parent["author"]["id"] for parent in parents}
    wanted = set()
    for entry in (e for w in writers for e in w.ledger):
        for person in {author[entry.parent], proposer.id} - {entry.writer}:
            wanted.add((entry.id, address[person]))
    for parent in parents:
        wanted.add((parent["id"], proposer.email))

    copies = collections.defaultdict(list)
    for message in site.mail.messages:
        found = re.fullmatch(r"<c\.(\d+)\..*>", message.message_id)
        if found:
            copies[found.group(1), message.recipient].append(message)
    assert set(copies) == wanted
    assert [same for same in copies.values() if len({message.message_id for message in same}) > 1] == []

    known = [message.message_id for same in copies.values() for message in same[:-1] if message.is_settled]
    assert known == [], "a copy of what was known to be taken"
    cut = sum(not message.is_settled for same in copies.values() for message in same)
    with site.database("notifications") as connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*), count(DISTINCT (seq, source, account_id)) FROM deliveries")
        assert len(set(cursor.fetchone())) == 1
    assert cut >= min(IN_DIALOGUE, killed["notifications"]), "no dialogue was cut there: the kills proved nothing"
    print(f"{len(wanted)} mails, {sum(map(len, copies.values())) - len(wanted)} second copies,"
          f" {cut} dialogues cut after the final dot")
