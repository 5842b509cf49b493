"""
The recommender among its owners: what happens in topics and comments shows in its answers,
after a restart, after kill -9, with a damaged snapshot, and while an owner is away.

topics, comments and related are the real daemons on a real PostgreSQL; what happens is written
into the owners' tables with its event, as their statements would.
"""
import json
import os
import pathlib
import random
import secrets
import shutil
import subprocess
import tempfile
import threading
import time

import pytest
import requests

from harness.patience import PATIENCE, eventually
from harness.postgres import Postgres
from harness.programs import BUILD, program

WORDS, PARTICIPANTS, AUTHOR, RECENT = "2", "4", "6", "7"
UNAVAILABLE = 9


class Site:
    def __init__(self, postgres):
        self.postgres = postgres
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="causerie-related-"))
        (self.folder / "key").write_text(secrets.token_hex(32) + "\n")
        (self.folder / "key").chmod(0o600)
        self.names = {name: f"{name}{secrets.token_hex(4)}" for name in ("topics", "comments")}
        self.urls = {name: postgres.create_database(database) for name, database in self.names.items()}
        self.processes = {}
        self.environment = {
            "PATH": os.environ["PATH"],
            "CAUSERIE_RUN_DIR": str(self.folder / "run"),
            "CAUSERIE_RPC_KEY_FILE": str(self.folder / "key"),
            "CAUSERIE_TOPICS_DATABASE_URL": self.urls["topics"],
            "CAUSERIE_COMMENTS_DATABASE_URL": self.urls["comments"],
            "CAUSERIE_RELATED_SNAPSHOT": str(self.folder / "snapshot"),
            "CAUSERIE_RELATED_SNAPSHOT_EVERY": "300ms",
            **{name: value for name, value in os.environ.items() if name.endswith("SAN_OPTIONS")},
        }

    def start(self, name):
        with open(self.folder / f"{name}.log", "ab") as log:
            self.processes[name] = subprocess.Popen(
                [BUILD / f"causerie-{name}"], env=self.environment, cwd=self.folder,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def stop(self, name):
        process = self.processes.pop(name)
        process.terminate()
        assert process.wait(30) == 0, self.log(name)[-3000:]

    def kill(self, name):
        process = self.processes.pop(name)
        process.kill()
        process.wait()

    def log(self, name):
        return (self.folder / f"{name}.log").read_text("utf-8")

    def ready(self, name):
        address = self.folder / "run" / f"{name}.{self.processes[name].pid}.admin"
        if not address.exists():
            return False
        return requests.get(f"http://{address.read_text().strip()}/readyz", timeout=5).status_code == 200

    def beside(self):
        """Snapshots that are being written, or were when their writer ended."""
        return list(self.folder.glob("snapshot.new*"))

    def end(self):
        for process in self.processes.values():
            process.kill()
            process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    # --- what happens

    def run(self, owner, text, values=()):
        connection = self.postgres.connect(self.names[owner])
        try:
            connection.cursor().execute(text, values)
        finally:
            connection.close()

    def put_topic(self, topic, title, article="", state="open", version=1, kind="topic.created", target=None):
        self.run("topics", """
            WITH made AS (INSERT INTO topics (id, version, state, proposer_id, title, slug, lead, article, language,
                                              format, treatment, expertises, target_id)
                VALUES (%s, %s, %s, 1000 + %s, %s, %s, '', %s, 'fr', 'debat', 'enquete', '{jardin}', %s)
                ON CONFLICT (id) DO UPDATE SET version = excluded.version, state = excluded.state,
                    title = excluded.title, slug = excluded.slug, article = excluded.article,
                    target_id = excluded.target_id
                RETURNING *)
            INSERT INTO outbox (aggregate_type, aggregate_id, aggregate_version, type, trace, payload)
            SELECT 'topic', id, version, %s, 'test',
                   jsonb_build_object('topic_id', id, 'to_state', state, 'target_id', target_id, 'proposer_id', proposer_id)
              FROM made""", (topic, version, state, topic, title, f"slug-{topic}", article, target, kind))

    def put_comment(self, comment, topic, body, state="visible", version=1, kind="comment.posted", author=5):
        self.run("comments", """
            WITH thread AS (INSERT INTO threads (topic_id, proposer_id, state, open) VALUES (%s, 1, 'open', true)
                            ON CONFLICT DO NOTHING)
            SELECT""", (topic,))
        self.run("comments", """
            WITH made AS (INSERT INTO comments (id, topic_id, root_id, author_id, body, language, state, version)
                VALUES (%s, %s, %s, %s, %s, 'fr', %s, %s)
                ON CONFLICT (id) DO UPDATE SET body = excluded.body, state = excluded.state, version = excluded.version
                RETURNING *)
            INSERT INTO outbox (aggregate_type, aggregate_id, aggregate_version, type, trace, payload)
            SELECT 'comment', id, version, %s, 'test',
                   jsonb_build_object('topic_id', topic_id, 'comment_id', id, 'actor_id', author_id)
              FROM made""", (comment, topic, comment, author, body, state, version, kind))

    # --- what is answered

    def ask(self, *about):
        """The code and the topics; somebody who starts may not have found related yet."""
        return eventually(lambda: (answer := self.ask_once(*about))[0] != UNAVAILABLE and answer)

    def ask_once(self, *about):
        output = subprocess.run(
            [program("related_asker"), f"ipc://{self.folder}/run/related.*.rpc", self.folder / "key",
             *[str(word) for word in about]], capture_output=True, text=True, timeout=30, check=True).stdout.split(" ")
        topics = {}
        for item in " ".join(output[2:]).strip().split(" "):
            if item:
                number, slug, *reasons = item.split(":")
                topics[int(number)] = {"slug": slug, "reasons": [reason.split("=")[0] for reason in reasons],
                                       "words": [reason for reason in reasons if "=" in reason]}
        return int(output[0]), topics

    def until(self, condition, what, seconds=PATIENCE):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if condition():
                return
            time.sleep(0.03)
        raise AssertionError(f"{what}\n{self.log('related')[-3000:]}")

    def until_related(self, topic, other, related=True, seconds=PATIENCE):
        self.until(lambda: (other in self.ask(topic)[1]) == related,
                   f"{other} {'is not' if related else 'is still'} related to {topic}", seconds)


@pytest.fixture(scope="module")
def postgres():
    with Postgres() as server:
        yield server


def open_site(postgres, others):
    """Three topics, and others that have nothing in common with them but their expertise."""
    site = Site(postgres)
    site.start("topics")
    site.start("comments")
    site.until(lambda: site.ready("topics") and site.ready("comments"), "the owners are not ready")
    site.put_topic(1, "Pistes cyclables en ville", "Le vélo et la voiture se partagent la rue")
    site.put_topic(2, "Le vélo en ville", "Des pistes cyclables pour tous")
    site.put_topic(3, "La tomate au jardin", "Semis, arrosage et récolte")
    for number in range(100, 100 + others):
        site.put_topic(number, f"Autre sujet numéro{number}", f"sans rapport{number}")
    site.start("related")
    site.until(lambda: site.ready("related"), "related is not ready")
    return site


@pytest.fixture
def site(postgres):
    site = open_site(postgres, 40)
    yield site
    site.end()


@pytest.fixture
def small_site(postgres):
    site = open_site(postgres, 0)
    yield site
    site.end()


def test_what_was_there_before_is_related_with_its_reasons(site):
    code, topics = site.ask(1)
    assert code == 1
    assert topics[2]["slug"] == "slug-2"
    assert WORDS in topics[2]["reasons"]
    assert 1 not in topics
    assert site.ask(987654)[0] == 2  # NOT_FOUND


def test_a_new_topic_an_edit_and_a_hidden_one_show(site):
    site.put_topic(4, "Réparer son vélo", "Atelier en ville, pistes et conseils cyclables")
    site.until_related(1, 4)
    site.put_topic(4, "Fanfares", "Cuivres et tambours", version=2, kind="topic.edited")
    site.until_related(1, 4, related=False)
    site.put_topic(2, "Le vélo en ville", "Des pistes cyclables pour tous", state="withdrawn", version=2,
                   kind="topic.transitioned")
    site.until_related(1, 2, related=False)
    assert site.ask(2)[0] == 2  # its words are nobody's business now


def test_what_was_archived_is_related_if_it_had_a_show(site):
    site.until_related(1, 2)
    site.put_topic(2, "Le vélo en ville", "Des pistes cyclables pour tous", state="archived", version=2, kind="topic.transitioned")
    site.until_related(1, 2, related=False)
    site.run("topics", "INSERT INTO videos (topic_id, url, duration_seconds) VALUES (2, 'https://video.example/2', 60)")
    site.put_topic(2, "Le vélo en ville", "Des pistes cyclables pour tous", state="archived", version=3, kind="topic.edited")
    site.until_related(1, 2)


def test_a_comment_makes_a_topic_related_until_it_is_hidden(site):
    site.put_comment(30, 3, "Je livre mes tomates par les pistes cyclables, à vélo, en ville")
    site.until_related(1, 3)
    site.put_comment(30, 3, "Je livre mes tomates par les pistes cyclables, à vélo, en ville", state="hidden",
                     version=2, kind="comment.hidden")
    site.until_related(1, 3, related=False)


def test_a_merged_topic_disappears_and_its_comments_count_for_the_other(site):
    site.put_comment(40, 101, "pistes cyclables et vélo en ville")
    site.until_related(1, 101)
    site.put_topic(101, "Autre sujet", state="merged", version=2, kind="topic.transitioned", target=102)
    site.until_related(1, 101, related=False)
    site.until_related(1, 102)


def test_who_was_forgotten_counts_no_more_nor_after_a_rebuild(site):
    def says_so():
        return AUTHOR in site.ask(1)[1][2]["reasons"]

    site.put_comment(50, 2, "J'ai proposé l'autre", author=1001)
    site.until(says_so, "who asks took part")
    site.run("topics", "INSERT INTO erased_accounts VALUES (1001)")
    for owner in ("topics", "comments"):
        site.run(owner, "INSERT INTO outbox (aggregate_type, aggregate_id, aggregate_version, type)"
                        " VALUES ('account', 1001, 2, 'account.forgotten')")
    site.until(lambda: not says_so(), "it still counts")
    site.kill("related")
    (site.folder / "snapshot").unlink(missing_ok=True)
    site.start("related")
    site.until(lambda: site.ready("related"), "related is not ready")
    assert not says_so()


def test_an_unsaved_text_finds_what_is_there(site):
    code, topics = site.ask("title", "Arroser les tomates du jardin")
    assert code == 1
    assert list(topics) == [3]


def test_an_expertise_in_common_makes_no_look_alike(site, small_site):
    for place in (site, small_site):
        assert list(place.ask("title", "Arroser les tomates du jardin", "jardin")[1]) == [3]
        assert place.ask("title", "Éteindre les enseignes la nuit", "jardin") == (1, {})
    assert RECENT in small_site.ask(3)[1][1]["reasons"], "on a small site it is told as such"


def test_a_restart_goes_on_from_the_snapshot(site):
    site.put_comment(30, 3, "pistes cyclables, vélo, ville")
    site.until_related(1, 3)
    site.stop("related")
    site.put_topic(5, "Encore des pistes cyclables pour le vélo en ville")
    site.start("related")
    site.until_related(1, 5)
    site.until_related(1, 3)
    starts = [json.loads(line)["event"] for line in site.log("related").splitlines() if '"related.' in line]
    assert starts.count("related.rebuild") == 1 and "related.loaded" in starts


class Groups:
    """Topics in groups that share their words and nothing else; every change moves a few to another one, or hides them."""

    COUNT, GROUPS, FIRST, DRAFTS = 1200, 240, 1000, 150

    def __init__(self, site, chance):
        self.site = site
        self.chance = chance
        self.version = 1
        self.group = {self.FIRST + n: n % self.GROUPS for n in range(self.COUNT)}  # None: hidden
        self.write(self.group, "topic.created")
        self.write_drafts()

    def write(self, topics, kind):
        self.put([(topic, self.version, "withdrawn" if group is None else "open", f"Cercle{group} carré{group}",
                   " ".join([f"rond{group} ovale{group} losange{group}"] * 3)) for topic, group in topics.items()], kind)

    def write_drafts(self):
        """Nobody sees them; their words make the snapshot large enough to be killed in."""
        self.put([(topic, 1, "draft", f"Brouillon {topic}", " ".join(f"n{topic}x{n}" for n in range(200)))
                  for topic in range(100000, 100000 + self.DRAFTS)], "topic.created")

    def put(self, rows, kind):
        self.site.run("topics", """
            WITH made AS (INSERT INTO topics (id, version, state, proposer_id, title, slug, lead, article, language, format,
                                              treatment, expertises)
                SELECT id, version, state, id, title, 's', '', article, 'fr', 'debat', 'enquete', '{}'
                  FROM unnest(%s::bigint[], %s::bigint[], %s::text[], %s::text[], %s::text[]) AS t (id, version, state, title, article)
                ON CONFLICT (id) DO UPDATE SET version = excluded.version, state = excluded.state,
                    title = excluded.title, article = excluded.article
                RETURNING *)
            INSERT INTO outbox (aggregate_type, aggregate_id, aggregate_version, type, payload)
            SELECT 'topic', id, version, %s, jsonb_build_object('topic_id', id, 'to_state', state, 'proposer_id', proposer_id)
              FROM made""", [list(column) for column in zip(*rows)] + [kind])

    def change(self):
        """A hidden one comes back with a later change, as nobody can withdraw for good here."""
        self.version += 1
        moved = {topic: self.chance.choice([None, *range(self.GROUPS)]) for topic in self.chance.sample(sorted(self.group), 100)}
        self.group |= moved
        self.write(moved, "topic.edited")

    def is_right(self, topic):
        """As many of its group as a page has places for, and no other."""
        group = self.group[topic]
        others = {other for other, its in self.group.items() if its == group and other != topic}
        code, found = self.site.ask(topic)
        if group is None:
            return code == 2
        return code == 1 and set(found) <= others and len(found) == min(5, len(others))


class Killer(threading.Thread):
    """Kills related: a moment after a snapshot's file appears, or at any moment."""

    def __init__(self, site, after_file, delay):
        super().__init__()
        self.site = site
        self.after_file = after_file
        self.delay = delay
        self.was_writing = False

    def run(self):
        end = time.monotonic() + PATIENCE
        while self.after_file and not self.site.beside() and time.monotonic() < end:
            time.sleep(0.0005)
        time.sleep(self.delay)
        self.site.kill("related")
        self.was_writing = bool(self.site.beside())


KILLS = 14
MOST_KILLS = 60  # where none of the first came while a snapshot was being written


def test_killed_at_random_points_of_snapshots_and_merges_it_goes_on_as_if_nothing_was(site):
    seed = secrets.randbits(32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    site.environment["CAUSERIE_RELATED_SNAPSHOT_EVERY"] = "1ms"
    site.stop("related")
    groups = Groups(site, chance)
    site.start("related")
    site.until(lambda: groups.is_right(Groups.FIRST), "the groups are not there")
    site.until(lambda: (site.folder / "snapshot").stat().st_size > 1 << 20, "there is no snapshot of them")
    caught = kills = 0
    while kills < KILLS or (caught == 0 and kills < MOST_KILLS):
        at_snapshot = kills % 2 == 0
        killer = Killer(site, at_snapshot, chance.uniform(0, 0.006 if at_snapshot else 0.8))
        killer.start()
        while killer.is_alive():
            groups.change()
            time.sleep(0.01)
        killer.join()
        kills += 1
        caught += killer.was_writing
        site.start("related")
        site.until(lambda: site.ready("related"), "it is not ready")
        for topic in chance.sample(sorted(groups.group), 4):
            site.until(lambda: groups.is_right(topic), f"after kill {kills} {topic} has wrong neighbours")
    print(f"{caught} of {kills} kills while one was written, {groups.version} changes, {(site.folder / 'snapshot').stat().st_size}")
    assert caught > 0, "no snapshot was being written: the kills proved nothing"
    everything = [json.loads(line)["event"] for line in site.log("related").splitlines()]
    assert everything.count("related.rebuild") == 1 and everything.count("related.loaded") == kills + 1
    assert "related.snapshot_refused" not in everything

    asked = chance.sample(sorted(groups.group), 40)
    assert [topic for topic in asked if not groups.is_right(topic)] == []
    kept = {topic: site.ask(topic) for topic in asked}
    site.stop("related")
    assert [path.name for path in site.folder.glob("snapshot*")] == ["snapshot"]
    (site.folder / "snapshot").unlink()
    site.start("related")
    site.until(lambda: site.ready("related"), "it was not made anew")
    assert {topic: (code, set(found)) for topic, (code, found) in kept.items()} == {
        topic: (code, set(found)) for topic in asked for code, found in [site.ask(topic)]}


def put_many(site, first, last):
    """As many topics of one event each, in one go; a third of them say « vélo »."""
    site.run("topics", """
        WITH made AS (INSERT INTO topics (id, version, state, proposer_id, title, slug, lead, article, language,
                                          format, treatment, expertises)
            SELECT n, 1, 'open', 1000 + n, CASE WHEN n %% 3 = 0 THEN 'Le vélo en ville, ' ELSE 'Autrement dit, ' END || md5(n::text),
                   'slug-' || n, '', md5((n * 7)::text) || ' ' || md5((n * 11)::text), 'fr', 'debat', 'enquete', '{}'
              FROM generate_series(%s, %s) n RETURNING *)
        INSERT INTO outbox (aggregate_type, aggregate_id, aggregate_version, type, trace, payload)
        SELECT 'topic', id, version, 'topic.created', 'test',
               jsonb_build_object('topic_id', id, 'to_state', state, 'proposer_id', proposer_id) FROM made""", (first, last))


def test_at_the_memory_limit_it_answers_with_less_says_what_to_do_and_later_has_it_all(site):
    site.stop("related")
    site.environment["CAUSERIE_RELATED_MEMORY"] = "1"
    put_many(site, 1000, 8999)
    site.start("related")
    site.until(lambda: "related.full" in site.log("related"), "it does not say that it is full", seconds=60)
    site.until(lambda: site.ready("related"), "a full index is an index", seconds=60)
    line, = [json.loads(line) for line in site.log("related").splitlines() if '"related.full"' in line]
    assert line["level"] == "error" and "CAUSERIE_RELATED_MEMORY" in line["do"] and line["refused"] > 0
    assert 2 in site.ask(1)[1], "what was there answers"
    missing = next(number for number in range(8999, 999, -1) if site.ask(number)[0] == 2)

    site.put_topic(2, "Le vélo en ville", state="withdrawn", version=2, kind="topic.transitioned")
    site.until_related(1, 2, related=False)  # what is taken back is always heard of

    site.stop("related")
    site.environment["CAUSERIE_RELATED_MEMORY"] = "64"
    site.start("related")
    site.until(lambda: site.ask(missing)[0] == 1, f"{missing} is not there", seconds=60)


def test_a_snapshot_that_cannot_be_written_says_why_and_what_to_do(site):
    place = site.environment["CAUSERIE_RELATED_SNAPSHOT"]
    site.stop("related")
    site.environment["CAUSERIE_RELATED_SNAPSHOT"] = str(site.folder / "nowhere/snapshot")
    try:
        site.start("related")
        site.until(lambda: "related.snapshot_failed" in site.log("related"), "it says nothing")
        line = next(line for line in map(json.loads, site.log("related").splitlines()) if line["event"] == "related.snapshot_failed")
        assert line["why"] == "No such file or directory" and "CAUSERIE_RELATED_SNAPSHOT" in line["do"]
        assert 2 in site.ask(1)[1]
        site.kill("related")
    finally:
        site.environment["CAUSERIE_RELATED_SNAPSHOT"] = place
        site.start("related")
    site.until(lambda: site.ready("related"), "related is not ready")


def test_a_damaged_snapshot_is_refused_and_the_index_rebuilt(site):
    site.until(lambda: (site.folder / "snapshot").exists(), "there is no snapshot")
    site.stop("related")
    with open(site.folder / "snapshot", "r+b") as file:
        file.seek(200)
        file.write(b"\xff\xfe\xfd")
    site.start("related")
    site.until_related(1, 2)
    assert "related.snapshot_refused" in site.log("related")


def test_an_owner_restored_from_a_backup_makes_it_rebuild(site):
    site.until_related(1, 2)
    site.run("topics", "UPDATE outbox_head SET epoch = epoch + 1")
    site.run("topics", "UPDATE topics SET title = 'Fanfares', article = 'cuivres' WHERE id = 2")
    site.until_related(1, 2, related=False, seconds=30)
    site.put_topic(6, "Pistes cyclables, vélo, ville")
    site.until_related(1, 6, seconds=30)


def test_while_an_owner_is_away_it_answers_and_catches_up(site):
    site.kill("topics")
    assert 2 in site.ask(1)[1]
    site.put_topic(7, "Pistes cyclables, vélo, ville")
    site.start("topics")
    site.until_related(1, 7)


def test_a_site_without_owners_starts_and_says_that_it_is_not_complete(site):
    site.stop("related")
    site.kill("topics")
    (site.folder / "snapshot").unlink(missing_ok=True)
    site.start("related")
    site.until(lambda: "related.rebuild" in site.log("related"), "it did not begin")
    time.sleep(0.5)
    assert not site.ready("related")
    site.start("topics")
    site.until(lambda: site.ready("related"), "it did not complete")
    assert 2 in site.ask(1)[1]
