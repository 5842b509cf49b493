"""Who finds a topic that left the road, through every door: the road widens who sees it, a side exit never does."""
import contextlib

import pytest
import requests

from harness import migrations
from harness.deployment import a_topic
from harness.patience import eventually

REASON = "Une raison publique assez longue pour dire quelque chose."
NOBODY_ELSE, ORGANIZERS, EVERYBODY = set(), {"organizer"}, {"visitor", "member", "moderator", "organizer"}

# What becomes of a topic, and who finds it then besides its author.
ROADS = {
    "kept back": (["draft", "withdrawn"], NOBODY_ELSE),
    "taken back": (["proposed", "withdrawn"], ORGANIZERS),
    "taken back and archived": (["proposed", "withdrawn", "archived"], ORGANIZERS),
    "refused": (["proposed", "declined"], ORGANIZERS),
    "refused and archived": (["proposed", "declined", "archived"], ORGANIZERS),
    "withdrawn and archived": (["proposed", "open", "withdrawn", "archived"], ORGANIZERS),
    "declined": (["proposed", "open", "declined"], EVERYBODY),
    "declined and archived": (["proposed", "open", "declined", "archived"], EVERYBODY),
}


@pytest.fixture(scope="module")
def people(site, ana, organizer):
    return {"author": ana, "visitor": site.visitor(), "member": site.member("Un lecteur"),
            "moderator": site.officer("moderator", "Une modératrice"), "organizer": organizer}


def travel(people, road):
    topic = people["author"].post("/topics", a_topic(title=f"Un zéphyr par {' et '.join(road)}", submit=road[0] != "draft"))
    for to in road[1:]:
        mover = people["author" if to == "withdrawn" else "organizer"]
        topic = mover.post(f"/topics/{topic['id']}/transitions",
                           {"to": to, "version": topic["version"], **({"reason": REASON} if to == "declined" else {})}, status=200)
    return topic


def thread(site, topic):
    """What comments knows of a topic's state and readers."""
    with site.database("comments") as connection, connection.cursor() as cursor:
        cursor.execute("SELECT state, seen_by FROM threads WHERE topic_id = %s", (topic["id"],))
        return cursor.fetchone()


def doors_open_to(person, topic):
    """The doors behind which the person finds the topic."""
    paths = {"topic": "", "history": "/history", "opinions": "/opinions", "comments": "/comments"}
    found = {door for door, path in paths.items() if person.request("GET", f"/topics/{topic['id']}{path}").status_code == 200}
    stream = person.http.get(f"{person.site.url}/api/v1/topics/{topic['id']}/stream", stream=True, timeout=10,
                             headers={"Authorization": f"Bearer {person.token}"} if person.token else {})
    with contextlib.closing(stream):
        found |= {"stream"} if stream.status_code == 200 else set()
    listed = person.get("/topics", state=topic["state"], limit=100)["items"]
    searched = person.get("/topics", state=topic["state"], q="zéphyr", limit=100)["items"]
    found |= {"list"} if topic["id"] in [one["id"] for one in listed] else set()
    found |= {"search"} if topic["id"] in [one["id"] for one in searched] else set()
    return found


@pytest.mark.parametrize("road, others", ROADS.values(), ids=ROADS)
def test_who_finds_a_topic_finds_it_through_every_door_and_others_through_none(site, people, road, others):
    topic = travel(people, road)
    if "open" in road:  # comments heard of that state, and has to hear of the last
        eventually(lambda: (thread(site, topic) or (topic["state"],))[0] == topic["state"])
    all_doors = doors_open_to(people["author"], topic)
    assert all_doors >= {"topic", "history", "opinions", "comments", "stream"}
    for who in sorted(EVERYBODY):
        found = doors_open_to(people[who], topic)
        wanted = {"topic", "history", "opinions", "comments", "stream", "list", "search"} if who in others else set()
        assert found == wanted, who
    own = people["author"].get("/topics", state=topic["state"], proposer_id=people["author"].id, limit=100)["items"]
    assert topic["id"] in [one["id"] for one in own]


@pytest.mark.parametrize("road, others", ROADS.values(), ids=ROADS)
def test_pages_feeds_and_maps_agree(site, people, road, others):
    topic = travel(people, road)
    status = 200 if "visitor" in others else 404
    assert requests.get(f"{site.url}/sujets/{topic['id']}", timeout=10).status_code == status
    assert requests.get(f"{site.url}/s/{topic['id']}", timeout=10).status_code == status

    def shows(path):
        return f"/sujets/{topic['id']}-" in requests.get(site.url + path, timeout=10).text

    if status == 200:  # a visitors' page of before is kept until the event has come
        eventually(lambda: shows(f"/sujets?etat={topic['state']}"))
    else:
        assert not shows(f"/sujets?etat={topic['state']}")
    for path in ("/sujets", "/sujets?q=zéphyr", "/feeds/sujets.atom", "/sitemap.xml"):
        assert not shows(path), path
    for who in sorted(EVERYBODY - others):
        assert people[who].request("GET", f"/topics/{topic['id']}/related").status_code == 404, who


def test_the_author_of_a_refused_proposal_reads_why(people):
    topic = travel(people, ["proposed", "declined"])
    assert people["author"].get(f"/topics/{topic['id']}")["public_reason"] == REASON


def test_comments_of_a_withdrawn_topic_stay_its_own_when_it_is_archived(site, people):
    topic = travel(people, ["proposed", "open"])
    comment = eventually(lambda: (answer := people["member"].request(
        "POST", f"/topics/{topic['id']}/comments", {"body": "Un mot"})).status_code == 201 and answer.json())
    topic = people["author"].post(f"/topics/{topic['id']}/transitions", {"to": "withdrawn", "version": topic["version"]}, status=200)
    people["organizer"].post(f"/topics/{topic['id']}/transitions", {"to": "archived", "version": topic["version"]}, status=200)
    eventually(lambda: thread(site, topic) == ("archived", "organizers"))
    for path in (f"/comments/{comment['id']}", f"/comments/{comment['id']}/history", f"/topics/{topic['id']}/comments"):
        statuses = {who: person.request("GET", path).status_code for who, person in people.items()}
        assert statuses == {"author": 200, "visitor": 404, "member": 404, "moderator": 200, "organizer": 200}, path


# --- topics of before


@pytest.fixture(scope="module")
def before():
    """A database as it was before topics knew who sees them."""
    with migrations.before("topics", "0008") as cursor:
        yield cursor


def test_topics_that_are_there_are_seen_by_whom_their_log_says(before):
    wanted = {}
    for number, (name, (road, others)) in enumerate(ROADS.items(), 1):
        before.execute("INSERT INTO topics (id, version, state, proposer_id, title, slug, lead, article, language, format, treatment,"
                       " expertises, opened_at) VALUES (%s, %s, %s, 1, '', '', '', '', 'fr', '', '', '{}', %s)",
                       (number, len(road), road[-1], "2026-01-01" if "open" in road else None))
        for version, (one, to) in enumerate(zip(road, road[1:]), 2):
            before.execute("INSERT INTO topic_transitions (topic_id, version, actor_id, from_state, to_state) VALUES (%s, %s, 1, %s, %s)",
                           (number, version, one, to))
        wanted[number] = {0: "proposer", 1: "organizers", 4: "everybody"}[len(others)]
    migrations.apply(before, "topics", "0008")
    before.execute("SELECT id, seen_by FROM topics")
    assert dict(before.fetchall()) == wanted
    before.execute("SELECT aggregate_id, payload ->> 'seen_by' FROM outbox")
    assert dict(before.fetchall()) == wanted, "comments is not told"
