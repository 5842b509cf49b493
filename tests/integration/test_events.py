"""
Events from the transaction that announces them to their effect: nothing lost, nothing twice.

The programs are tests/harness/owner.c (sequencer and Events service) and reader.c (a consumer);
what stands between a COMMIT here and a row in `effects` there is lib's outbox.c and consumer.c.
"""
import pathlib
import random
import shutil
import tempfile
import threading
import time

import psycopg2
import pytest

from harness.patience import eventually
from harness.postgres import Postgres
from harness.programs import Program, lib_migration

ANNOUNCE = ("INSERT INTO outbox (aggregate_type, aggregate_id, aggregate_version, type, payload, trace) "
            "VALUES ('thing', %s, 1, %s, %s, 'trace')")

HELD = 1 << 40  # the aggregate of the transaction that is held open
SOUR = 1 << 42  # the aggregate at which the reader's statement for a crowd fails


class Site:
    """A database each for owner and reader, and where their sockets are."""

    count = 0

    def __init__(self, postgres):
        Site.count += 1
        self.postgres = postgres
        self.folder = tempfile.mkdtemp(prefix="causerie-events-")
        self.peers = f"ipc://{self.folder}/owner.*.rpc"
        self.owner_url = postgres.create_database(f"owner{Site.count}")
        self.reader_url = postgres.create_database(f"reader{Site.count}")
        self.execute("owner", lib_migration("outbox"))
        for tables in ("cursors", "cursors_retry"):
            self.execute("reader", lib_migration(tables))
        self.execute("reader", "CREATE TABLE effects (seq bigint, aggregate_id bigint)")

    def owner(self, number=1):
        return Program("owner", self.owner_url, f"ipc://{self.folder}/owner.{number}.rpc")

    def reader(self):
        return Program("reader", self.reader_url, self.peers)

    def memory_reader(self):
        return Program("reader", "memory", self.peers)

    def deaf_reader(self):
        """One that finds the owner and not where its hints come from: it polls."""
        deaf = pathlib.Path(self.folder, "deaf")
        deaf.mkdir()
        (deaf / "owner.1.rpc").symlink_to("../owner.1.rpc")
        return Program("reader", "memory", f"ipc://{deaf}/owner.*.rpc")

    def execute(self, database, text, *values):
        connection = self.postgres.connect(f"{database}{Site.count}")
        try:
            cursor = connection.cursor()
            cursor.execute(text, values or None)
            return cursor.fetchall() if cursor.description else None
        finally:
            connection.close()

    def announce(self, aggregate_id, kind="plain", payload="{}"):
        self.execute("owner", ANNOUNCE, aggregate_id, kind, payload)

    def effects(self):
        return self.execute("reader", "SELECT seq, aggregate_id FROM effects ORDER BY seq")

    def numbered(self):
        return self.execute("owner", "SELECT seq, aggregate_id FROM outbox WHERE type <> 'quiet' ORDER BY seq")


@pytest.fixture(scope="module")
def postgres():
    with Postgres() as server:
        yield server


@pytest.fixture
def site(postgres):
    site = Site(postgres)
    yield site
    shutil.rmtree(site.folder)


class Writer(threading.Thread):
    """
    Commits events as a busy service would: some transactions dawdle before their commit, some take
    their place in the table early, some are rolled back. `committed` is what the database promised.
    """

    ids = iter(range(1, 1 << 40))
    lock = threading.Lock()

    def __init__(self, url, seconds, seed):
        super().__init__()
        self.url, self.end, self.random = url, time.monotonic() + seconds, random.Random(seed)
        self.committed, self.unknown, self.problem = [], [], None

    def run(self):
        try:
            while time.monotonic() < self.end:
                self.write_until_lost()
        except Exception as problem:  # shown by the test that joins this thread
            self.problem = problem

    def write_until_lost(self):
        try:
            connection = psycopg2.connect(self.url)
            while time.monotonic() < self.end:
                self.write(connection)
            connection.close()
        except psycopg2.OperationalError:
            time.sleep(0.05)  # the server was killed; what was in doubt stays in `unknown`

    def write(self, connection):
        with self.lock:
            number = next(self.ids)
        cursor = connection.cursor()
        cursor.execute(ANNOUNCE, (number, self.random.choice(["plain", "crowd", "crowd", "quiet"]), "{}"))
        if self.random.random() < 0.3:
            time.sleep(self.random.random() * 0.02)
        if self.random.random() < 0.05:
            time.sleep(0.1)
        if self.random.random() < 0.02:
            connection.rollback()
            return
        self.unknown.append(number)
        connection.commit()
        self.committed.append(self.unknown.pop())


def run_writers(site, seconds, count=16):
    writers = [Writer(site.owner_url, seconds, seed) for seed in range(count)]
    for writer in writers:
        writer.start()
    return writers


def join(writers):
    for writer in writers:
        writer.join()
        assert writer.problem is None, writer.problem
    return ({number for writer in writers for number in writer.committed},
            {number for writer in writers for number in writer.unknown})


def check_exact(site, committed, unknown=frozenset()):
    """Every committed event has one number and, unless it is quiet, took effect once."""
    eventually(lambda: not site.execute("owner", "SELECT 1 FROM outbox WHERE seq IS NULL"))
    rows = site.execute("owner", "SELECT seq, aggregate_id FROM outbox ORDER BY seq")
    assert [seq for seq, _ in rows] == list(range(1, len(rows) + 1)), "the numbers are not dense"
    announced = {number for _, number in rows}
    assert committed <= announced <= committed | set(unknown)
    assert site.execute("owner", "SELECT last FROM outbox_head") == [(len(rows),)]
    eventually(lambda: site.execute("reader", "SELECT seq FROM cursors") == [(len(rows),)], 60)
    assert site.effects() == site.numbered()


def test_sixteen_writers_two_sequencers_and_an_open_transaction(site):
    with site.owner(1), site.owner(2), site.reader(), site.reader():
        holder = psycopg2.connect(site.owner_url)
        holder.cursor().execute(ANNOUNCE, (HELD, "plain", "{}"))
        writers = run_writers(site, 6)
        time.sleep(5)
        given = site.execute("owner", "SELECT count(*) FROM outbox WHERE seq IS NOT NULL")[0][0]
        holder.commit()
        holder.close()
        committed, unknown = join(writers)
        assert not unknown
        assert given > 100, "the open transaction held everybody up"
        check_exact(site, committed | {HELD})


def test_everything_is_killed_at_random(site):
    """kill -9 of sequencers and readers under load, and of PostgreSQL."""
    dice = random.Random(7)
    with site.owner(1) as one, site.owner(2) as two, site.reader() as three, site.reader() as four:
        writers = run_writers(site, 12, count=6)
        for blow in range(24):
            time.sleep(0.3 + dice.random() * 0.2)
            if blow % 12 == 6:
                site.postgres.kill()
                site.postgres.start()
                continue
            victim = dice.choice([one, two, three, four])
            victim.kill()
            time.sleep(0.1)
            victim.start()
        committed, unknown = join(writers)
        assert len(committed) > 100
        check_exact(site, committed, unknown)


def test_events_are_seen_one_by_one_while_somebody_who_polls_sees_them_in_heaps(site):
    """Each is announced when the one before was seen, so that a reader without hints would need a poll for each."""
    with site.owner(), site.memory_reader() as reader, site.deaf_reader() as deaf:
        site.announce(41)
        for one in (reader, deaf):
            eventually(lambda: one.output() == "1 41\n")
        numbers, heaps = range(50, 90), []
        began = time.monotonic()

        def seen(number):
            if deaf.output() not in heaps:
                heaps.append(deaf.output())
            return f" {number}\n" in reader.output()

        for number in numbers:
            site.announce(number)
            eventually(lambda: seen(number))
        assert time.monotonic() - began < .8 * len(numbers), "the reader polls as well"
        assert len(heaps) < len(numbers)
        eventually(lambda: deaf.output() == reader.output())


def test_a_poisonous_event_is_parked_and_the_others_flow_on(site):
    with site.owner(), site.reader() as reader:
        for number, kind in enumerate(["plain", "quiet", "poison", "plain", "quiet", "poison", "quiet"], 1):
            site.announce(number, kind)

        def parked():
            """The pauses between attempts are minutes in all: they are over at once here."""
            site.execute("reader", "UPDATE attempts SET tried_at = '-infinity'")
            return len(site.execute("reader", "SELECT 1 FROM dead_letters")) == 2

        eventually(lambda: len(site.effects()) == 1)
        eventually(lambda: site.execute("reader", "SELECT seq FROM cursors") == [(2,)])
        eventually(parked, 60)
        eventually(lambda: site.execute("reader", "SELECT seq FROM cursors") == [(7,)])
        assert site.effects() == [(1, 1), (4, 4)]
        rows = site.execute("reader", "SELECT seq, type, sqlstate, length(event) > 4 FROM dead_letters ORDER BY seq")
        assert rows == [(3, "poison", "22012", True), (6, "poison", "22012", True)]
        assert reader.log().count("consumer.event_parked") == 2
        assert reader.log().count("consumer.event_failed") == 2


def test_of_events_that_are_taken_together_only_the_poisonous_one_is_parked(site):
    kinds = ["crowd", "crowd", "quiet", "crowd", "plain", "crowd", "crowd"]
    numbers = [1, 2, 3, SOUR, 5, 6, 7]
    with site.owner():
        for number, kind in zip(numbers, kinds):
            site.announce(number, kind)
        eventually(lambda: not site.execute("owner", "SELECT 1 FROM outbox WHERE seq IS NULL"))
        with site.reader():
            def parked():
                site.execute("reader", "UPDATE attempts SET tried_at = '-infinity'")
                return site.execute("reader", "SELECT seq, sqlstate FROM dead_letters") == [(4, "22012")]

            eventually(parked, 60)
            eventually(lambda: site.execute("reader", "SELECT seq FROM cursors") == [(7,)])
            assert site.effects() == [(seq, number) for seq, number in enumerate(numbers, 1) if number not in (3, SOUR)]


def test_an_event_that_ends_the_daemon_is_parked_after_ten_times(site):
    with site.owner(), site.reader() as reader:
        for number, kind in enumerate(["plain", "plain", "deadly", "plain"], 1):
            site.announce(number, kind)
        lives = 1

        def parked():
            nonlocal lives
            site.execute("reader", "UPDATE attempts SET tried_at = '-infinity'")
            if not reader.running():
                reader.start()
                lives += 1
            return site.execute("reader", "SELECT seq FROM dead_letters") == [(3,)]

        eventually(parked, 60)
        eventually(lambda: site.effects() == [(1, 1), (2, 2), (4, 4)])
        assert 10 < lives < 14


def test_a_restored_owner_stops_its_consumers_until_somebody_decides(site):
    with site.owner(), site.reader() as reader, site.memory_reader() as memory:
        site.announce(1)
        eventually(lambda: site.effects() == [(1, 1)])
        eventually(lambda: memory.output() == "1 1\n")
        site.execute("owner", "UPDATE outbox_head SET epoch = epoch + 1")
        site.announce(2)
        eventually(lambda: memory.output() == "1 1\nlost\n")
        eventually(lambda: reader.log().count("consumer.stopped") == 1)
        time.sleep(0.5)
        assert site.effects() == [(1, 1)]
        site.execute("reader", "UPDATE cursors SET epoch = epoch + 1")
        eventually(lambda: site.effects() == [(1, 1), (2, 2)])
        assert reader.log().count("consumer.stopped") == 1
        assert reader.log().count("consumer.goes_on") == 1


def test_deleted_events_are_not_passed_over_in_silence(site):
    with site.owner():
        for number in range(1, 4):
            site.announce(number)
        eventually(lambda: not site.execute("owner", "SELECT 1 FROM outbox WHERE seq IS NULL"))
        site.execute("owner", "DELETE FROM outbox WHERE seq < 3")
        with site.reader() as reader:
            eventually(lambda: "events were deleted" in reader.log())
            assert site.effects() == []


def test_old_events_go_when_everybody_has_passed_them(site):
    with site.owner(), site.reader():
        for number in range(1, 4):
            site.announce(number)
        eventually(lambda: len(site.effects()) == 3)
        site.execute("owner", "INSERT INTO outbox_consumers VALUES ('slow', 2)")
        site.execute("owner", "UPDATE outbox_consumers SET cursor = 3 WHERE consumer = 'reader'")
        site.execute("owner", "UPDATE outbox SET sequenced_at = now() - interval '8 days' WHERE seq < 3")
        site.execute("owner", "UPDATE outbox SET sequenced_at = now() - interval '8 days', seq = 3 WHERE seq = 3")
    with site.owner():
        site.announce(4)
        eventually(lambda: site.execute("owner", "SELECT seq FROM outbox ORDER BY id") == [(3,), (4,)])
