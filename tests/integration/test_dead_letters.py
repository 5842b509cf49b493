"""What an operator does with events that failed too often: causerie-<name> --dead-letters."""
import subprocess

import pytest

from harness.deployment import BUILD
from harness.patience import eventually


@pytest.fixture(scope="module")
def topic(site, ana, organizer):
    return site.open_topic(ana, organizer)["id"]


def run(site, *words, program="notifications"):
    done = subprocess.run([BUILD / f"causerie-{program}", "--dead-letters", *words], env=site.environment,
                          cwd=site.folder, capture_output=True, text=True, timeout=20)
    return done.returncode, done.stdout, done.stderr


def execute(site, statement, *values):
    with site.database("notifications") as connection, connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall() if cursor.description else None


@pytest.fixture
def parked(site, ana, ben, topic):
    """The number of an event that notifications gave up on, and the comment that it is about."""
    execute(site, "ALTER TABLE deliveries ADD CONSTRAINT broken CHECK (actor_id <> %s) NOT VALID", int(ben.id))
    comment = ben.post(f"/topics/{topic}/comments", {"body": "Un événement que personne ne digère"})["id"]

    def given_up():
        """The pauses between attempts are minutes in all: they are over at once here."""
        execute(site, "UPDATE attempts SET tried_at = '-infinity'")
        return execute(site, "SELECT seq FROM dead_letters")

    number = eventually(given_up, 60)[0][0]
    yield str(number), comment
    execute(site, "ALTER TABLE deliveries DROP CONSTRAINT IF EXISTS broken; DELETE FROM dead_letters")


def told(site, comment):
    return execute(site, "SELECT account_id FROM deliveries WHERE comment_id = %s", int(comment))


def test_without_any_there_is_nothing_to_show(site):
    assert run(site) == (0, "no dead letters\n", "")


def test_one_is_listed_and_once_its_cause_is_mended_takes_effect(site, ana, parked):
    number, comment = parked
    status, listed, _ = run(site)
    assert status == 0
    assert listed.startswith(f"comments {number} comment.posted 23514, parked 20")
    assert f" comment_id={comment}" in listed
    assert eventually(lambda: site.lines("notifications", "consumer.event_parked"))[-1]["next"] == "--dead-letters"

    assert run(site, "retry", "comments", number)[0] == 0
    eventually(lambda: site.lines("notifications", "consumer.letter_failed"))
    assert told(site, comment) == []
    assert run(site)[1].startswith(f"comments {number} ")

    execute(site, "ALTER TABLE deliveries DROP CONSTRAINT broken")
    assert run(site, "retry", "comments", "all") == (0, "1\n", "")
    eventually(lambda: told(site, comment) == [(int(ana.id),)])
    eventually(lambda: run(site) == (0, "no dead letters\n", ""))
    assert execute(site, "SELECT count(*) FROM cursors WHERE consumer LIKE '%% again'") == [(0,)]


def test_one_is_forgotten(site, parked):
    number, comment = parked
    assert run(site, "drop", "topics", number)[0] == 1
    assert run(site, "drop", "comments", number) == (0, "1\n", "")
    status, _, complaint = run(site, "retry", "comments", number)
    assert status == 1
    assert complaint == f"causerie-notifications: no dead letter comments {number}; --dead-letters lists them\n"
    assert told(site, comment) == []


def test_wrong_words_are_a_line_of_help(site):
    status, _, complaint = run(site, "retry")
    assert status == 2
    assert complaint.startswith("usage: causerie-notifications --dead-letters")
    assert run(site, program="gateway")[0] == 2
