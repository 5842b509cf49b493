"""
Who may do what: every operation of the API's own document, by everybody.

A row of the table is an operation on something; its columns are what each person is answered. What
one may not see is answered as if it did not exist: 404, with the very same body.
"""
import collections
import itertools

import pytest
import requests

from harness.deployment import PASSWORD, a_name, a_topic
from harness.patience import eventually

PEOPLE = ("visitor", "unverified", "member", "author", "moderator", "organizer", "suspended")

Row = collections.namedtuple("Row", "operation what method path body expected")
ROWS = []


def row(operation, method, path, expected, body=None, what=""):
    statuses = dict(zip(PEOPLE, map(int, expected.split()), strict=True))
    ROWS.append(Row(operation, what, method, path, body, statuses))


NEW = itertools.count()
SIGN_UP = {"email": "{fresh}@example.org", "password": PASSWORD, "display_name": "{name}", "language": "fr"}
EDIT = {"version": "{version}", "body": "Tout autre chose"}
EDIT_TOPIC = {"version": "{version}", "place": "Ailleurs"}
REASON = "Une raison publique assez longue pour dire quelque chose."

# accounts                                               visitor unverified member author moderator organizer suspended
row("sign_up", "POST", "/accounts",                          "202 202 202 202 202 202 401", SIGN_UP)
row("verify", "POST", "/accounts/verify",                    "404 404 404 404 404 404 401", {"token": "unknown"})
row("make_token", "POST", "/tokens",                         "201 201 201 201 201 201 401",
    {"email": "{author_email}", "password": PASSWORD, "label": "x"})
row("list_tokens", "GET", "/tokens",                         "401 200 200 200 200 200 401")
row("end_token", "DELETE", "/tokens/{author_session}",       "401 204 204 204 204 204 401", what="the author's")
row("get_me", "GET", "/me",                                  "401 200 200 200 200 200 401")
row("change_me", "PATCH", "/me",                             "401 200 200 200 200 200 401", {"bio": "Une ligne"})
row("change_me", "PATCH", "/me",                             "401 422 422 422 422 422 401", {"roles": 2},
    what="one's own roles")
row("forgot_password", "POST", "/password/forgot",           "202 202 202 202 202 202 401", {"email": "x@example.org"})
row("reset_password", "POST", "/password/reset",             "404 404 404 404 404 404 401",
    {"token": "unknown", "password": PASSWORD})
row("erase_account", "POST", "/account/erase",               "401 422 422 422 422 422 401", {"password": "pas la bonne"})
row("keep_account", "POST", "/account/keep",                 "404 404 404 404 404 404 401", {"token": "unknown"})
# topics
row("taxonomies", "GET", "/taxonomies",                      "200 200 200 200 200 200 401")
row("openapi", "GET", "/openapi.json",                       "200 200 200 200 200 200 401")
row("list_topics", "GET", "/topics",                         "200 200 200 200 200 200 401")
row("create_topic", "POST", "/topics",                       "401 403 201 201 201 201 401", "topic")
for what, seen in (("open", "200 200 200 200 200 200 401"), ("draft", "404 404 404 200 404 404 401"),
                   ("proposed", "404 404 404 200 404 200 401"), ("withdrawn", "404 404 404 200 404 200 401"),
                   ("kept_back", "404 404 404 200 404 404 401"), ("refused", "404 404 404 200 404 200 401")):
    for operation, path in (("get_topic", ""), ("topic_history", "/history"), ("get_opinions", "/opinions"),
                            ("topic_stream", "/stream")):
        row(operation, "GET", f"/topics/{{{what}}}{path}", seen, what=what)
    # the words of a hidden topic would show in the reasons, so not even its author asks
    row("list_related", "GET", f"/topics/{{{what}}}/related",
        seen if what == "open" else seen[:12] + "404" + seen[15:], what=what)
    row("get_follow", "GET", f"/topics/{{{what}}}/follow", "401" + seen[3:], what=what)
row("list_related", "GET", "/topics/{open}/related?everything=true", "403 403 403 403 403 200 401", what="everything of open")
row("list_comments", "GET", "/topics/{open}/comments",       "200 200 200 200 200 200 401", what="open")
row("list_comments", "GET", "/topics/{draft}/comments",      "404 404 404 200 404 404 401", what="draft")
row("list_comments", "GET", "/topics/{kept_back}/comments",  "404 404 404 200 404 404 401", what="kept back")
row("list_comments", "GET", "/topics/{refused}/comments",    "404 404 404 200 404 200 401", what="refused")
row("list_comments", "GET", "/topics/{proposed}/comments",   "404 404 404 200 404 200 401", what="proposed")
row("list_comments", "GET", "/topics/{withdrawn}/comments",  "404 404 404 200 404 200 401", what="withdrawn")
row("list_comments", "GET", "/topics/{talked}/comments",     "404 404 404 200 200 200 401", what="withdrawn with comments")
row("edit_topic", "PATCH", "/topics/{open}",                 "401 403 403 200 403 200 401", EDIT_TOPIC, "open")
row("edit_topic", "PATCH", "/topics/{shortlisted}",          "401 403 403 403 403 200 401", EDIT_TOPIC, "shortlisted")
row("edit_topic", "PATCH", "/topics/{draft}",                "401 403 404 200 404 404 401", EDIT_TOPIC, "draft")
row("edit_topic", "PATCH", "/topics/{proposed}",             "401 403 404 200 404 200 401", EDIT_TOPIC, "proposed")
row("edit_topic", "PATCH", "/topics/{withdrawn}",            "401 403 404 403 404 403 401", EDIT_TOPIC, "withdrawn")
for what, to, expected in (
        ("open", "shortlisted",      "401 403 403 403 403 200 401"),
        ("open", "declined",         "401 403 403 403 403 200 401"),
        ("open", "withdrawn",        "401 403 403 200 403 403 401"),
        ("draft", "proposed",        "401 403 404 200 404 404 401"),
        ("proposed", "open",         "401 403 404 403 404 200 401"),
        ("withdrawn", "archived",    "401 403 404 403 404 200 401"),
        ("kept_back", "archived",    "401 403 404 403 404 404 401"),
        ("refused", "archived",      "401 403 404 403 404 200 401")):
    row("transition_topic", "POST", f"/topics/{{fresh_{what}}}/transitions", expected,
        {"to": to, "version": "{version}", "reason": REASON}, f"{what} to {to}")
row("put_opinion", "PUT", "/topics/{open}/opinion",          "401 403 200 200 200 200 401", {"value": 3}, "open")
row("put_opinion", "PUT", "/topics/{draft}/opinion",         "401 403 404 403 404 404 401", {"value": 3}, "draft")
row("put_opinion", "PUT", "/topics/{withdrawn}/opinion",     "401 403 404 403 404 403 401", {"value": 3}, "withdrawn")
row("delete_opinion", "DELETE", "/topics/{open}/opinion",    "401 403 204 204 204 204 401", what="open")
row("delete_opinion", "DELETE", "/topics/{draft}/opinion",   "401 403 404 403 404 404 401", what="draft")
for what, done, listed in (("open",      "401 403 403 403 403 200 401", "401 403 403 403 403 200 401"),
                           ("draft",     "401 403 404 403 404 404 401", "401 404 404 403 404 404 401"),
                           ("proposed",  "401 403 404 403 404 200 401", "401 404 404 403 404 200 401"),
                           ("withdrawn", "401 403 404 403 404 200 401", "401 404 404 403 404 200 401")):
    for one, other in (("shortlisted", what), (what, "shortlisted")):
        path = f"/topics/{{{one}}}/related/{{{other}}}"
        row("pair_topics", "PUT", path, done, {"pairing": "pinned"}, f"{one} and {other}")
        row("unpair_topics", "DELETE", path, done.replace("200", "204"), what=f"{one} and {other}")
    row("list_pairs", "GET", f"/topics/{{{what}}}/pairs", listed, what=what)
# comments
row("post_comment", "POST", "/topics/{open}/comments",       "401 403 201 201 201 201 401", {"body": "Oui"}, "open")
row("post_comment", "POST", "/topics/{draft}/comments",      "401 403 404 403 404 404 401", {"body": "Oui"}, "draft")
row("post_comment", "POST", "/topics/{withdrawn}/comments",  "401 403 404 403 404 403 401", {"body": "Oui"}, "withdrawn")
for what, seen in (("comment", "200 200 200 200 200 200 401"), ("hidden", "404 404 404 200 200 200 401"),
                   ("taken_along", "404 404 404 200 200 200 401"), ("deleted", "404 404 404 404 404 404 401")):
    row("get_comment", "GET", f"/comments/{{{what}}}", seen, what=what)
    row("comment_history", "GET", f"/comments/{{{what}}}/history", seen, what=what)
row("edit_comment", "PATCH", "/comments/{comment}",          "401 403 403 200 200 200 401", EDIT, "comment")
row("edit_comment", "PATCH", "/comments/{hidden}",           "401 403 404 403 403 403 401", EDIT, "hidden")
row("edit_comment", "PATCH", "/comments/{deleted}",          "401 403 404 404 404 404 401", EDIT, "deleted")
row("delete_comment", "DELETE", "/comments/{fresh_comment}", "401 403 403 204 403 403 401", what="comment")
row("delete_comment", "DELETE", "/comments/{hidden}",        "401 403 404 403 403 403 401", what="hidden")
row("delete_comment", "DELETE", "/comments/{fresh_taken_along}", "401 403 404 204 403 403 401", what="taken along")
row("report_comment", "POST", "/comments/{comment}/reports", "401 403 201 201 201 201 401", {"reason": "Hors sujet"})
row("report_comment", "POST", "/comments/{hidden}/reports",  "401 403 404 404 404 404 401", {"reason": "Hors sujet"},
    "hidden")
row("moderate_comment", "POST", "/comments/{fresh_comment}/moderation", "401 403 403 403 200 200 401",
    {"action": "hide", "reason": "Essai"})
row("moderate_comment", "POST", "/comments/999999/moderation", "401 403 403 403 404 404 401",
    {"action": "hide", "reason": "Essai"}, "unknown")
# notifications
row("put_follow", "PUT", "/topics/{open}/follow",            "401 403 200 200 200 200 401", {"level": "replies"}, "open")
row("put_follow", "PUT", "/topics/{draft}/follow",           "401 403 404 200 404 404 401", {"level": "replies"}, "draft")
row("list_notifications", "GET", "/notifications",           "401 200 200 200 200 200 401")
row("mark_read", "POST", "/notifications/read",              "401 204 204 204 204 204 401", {"all": True})
row("get_preferences", "GET", "/preferences",                "401 200 200 200 200 200 401")
row("put_preferences", "PUT", "/preferences",                "401 200 200 200 200 200 401",
    {"rhythm": "at_once", "local_hour": 8, "replies": True, "follows": True, "states": True})
row("list_deliveries", "GET", "/deliveries",                 "401 200 200 200 200 200 401")


class World:
    """The people, and what they do it to: by the names in the table's paths."""

    def __init__(self, site):
        self.site = site
        self.people = self._gather()
        self.author, self.organizer = self.people["author"], self.people["organizer"]
        self.things = {}
        for what in ("open", "draft", "proposed", "shortlisted", "withdrawn", "kept_back", "refused", "comment", "hidden",
                     "deleted", "taken_along"):
            self.things[what] = getattr(self, f"new_{what}")()

    def _gather(self):
        site = self.site
        people = {"visitor": site.visitor(), "unverified": site.sign_in(site.sign_up("Pas encore")),
                  "member": site.member("Une autre"), "author": site.member("Autrice"),
                  "moderator": site.officer("moderator", "Modératrice"), "organizer": site.organizer("Organisatrice"),
                  "suspended": site.member("Suspendue")}
        with site.database("accounts") as connection, connection.cursor() as cursor:
            cursor.execute("UPDATE accounts SET state = 'suspended' WHERE id = %s", (people["suspended"].id,))
        return people

    def move(self, topic, to, by=None, **more):
        by = by or self.organizer
        return by.post(f"/topics/{topic['id']}/transitions", {"to": to, "version": topic["version"], **more}, status=200)

    def new_draft(self):
        return self.author.post("/topics", a_topic(submit=False))

    def new_proposed(self):
        return self.author.post("/topics", a_topic())

    def new_open(self):
        return self.move(self.new_proposed(), "open")

    def new_shortlisted(self):
        return self.move(self.new_open(), "shortlisted")

    def new_withdrawn(self):
        return self.move(self.new_open(), "withdrawn", by=self.author)

    def new_kept_back(self):
        """A draft that its author withdrew."""
        return self.move(self.new_draft(), "withdrawn", by=self.author)

    def new_refused(self):
        """Proposed, and declined before it was open."""
        return self.move(self.new_proposed(), "declined", reason=REASON)

    def new_comment(self, topic=None):
        topic = topic or self.things["open"]
        return self.author.post(f"/topics/{topic['id']}/comments", {"body": "Ce que j’en dis"})

    def new_hidden(self):
        comment = self.new_comment()
        return self.organizer.post(f"/comments/{comment['id']}/moderation", {"action": "hide", "reason": "Essai"},
                                   status=200)

    def new_deleted(self):
        comment = self.new_comment()
        self.author.delete(f"/comments/{comment['id']}")
        return comment

    def new_taken_along(self):
        """A comment whose topic was withdrawn."""
        topic = self.things["talked"] = self.new_open()
        comment = self.new_comment(topic)
        self.move(topic, "withdrawn", by=self.author)
        eventually(lambda: self.thread_state(topic) == "withdrawn")
        return comment

    def thread_state(self, topic):
        with self.site.database("comments") as connection, connection.cursor() as cursor:
            cursor.execute("SELECT state FROM threads WHERE topic_id = %s", (topic["id"],))
            return cursor.fetchone()[0]

    def thing(self, name):
        if name.startswith("fresh_"):
            return getattr(self, f"new_{name.removeprefix('fresh_')}")()
        thing = self.things[name]
        kind = "comments" if "body" in thing else "topics"
        fresh = self.author.request("GET", f"/{kind}/{thing['id']}")  # its version may have risen
        return fresh.json() if fresh.status_code == 200 else thing


@pytest.fixture(scope="module")
def world(site):
    return World(site)


class Names(dict):
    """Fills the braces of paths and bodies; what is asked for with fresh_ is made then."""

    def __init__(self, world):
        super().__init__(author_email=world.author.email, name=a_name(), fresh=f"neuve{next(NEW)}")
        self.world = world
        self.thing = None

    def __missing__(self, name):
        if name == "author_session":
            token = self.world.site.sign_in(self.world.author.email)
            return next(item["id"] for item in token.get("/tokens")["items"] if item["current"])
        self.thing = self.world.thing(name)
        return self.thing["id"]

    def fill(self, value):
        if value == "{version}":
            return self.thing["version"] if self.thing else 1
        if isinstance(value, str):
            return value.format_map(self)
        return {key: self.fill(part) for key, part in value.items()} if isinstance(value, dict) else value


def ask(world, who, case):
    names = Names(world)
    path = names.fill(case.path)
    body = a_topic() if case.body == "topic" else names.fill(case.body)
    person = world.people[who]
    headers = {"Authorization": f"Bearer {person.token}"} if person.token else {}
    with requests.request(case.method, f"{world.site.url}/api/v1{path}", json=body, headers=headers, timeout=15,
                          stream=True) as answer:
        streams = answer.headers.get("Content-Type", "").startswith("text/event-stream")
        return answer.status_code, None if streams else answer.content


def nobody_has(path):
    """The same path about something that does not exist."""
    start, *rest = path.split("{", 1)
    return start + "999999" + rest[0].split("}", 1)[1] if rest else path


@pytest.mark.parametrize("case", ROWS, ids=lambda case: f"{case.operation} {case.what}".strip().replace(" ", "-"))
def test_everybody_is_answered_as_the_table_says(world, case):
    found = {who: ask(world, who, case) for who in PEOPLE}
    assert {who: status for who, (status, _) in found.items()} == case.expected
    hidden = {body for status, body in found.values() if status == 404}
    if hidden and "{" in case.path:
        status, body = ask(world, "member", case._replace(path=nobody_has(case.path)))
        assert (status, {body}) == (404, hidden), "what is hidden is told from what does not exist"


def test_every_operation_of_the_document_is_in_the_table(site):
    document = site.visitor().get("/openapi.json")
    described = {operation["operationId"] for path in document["paths"].values() for operation in path.values()}
    assert described == {case.operation for case in ROWS}


def test_ending_somebody_elses_session_leaves_it_alive(site, world):
    session = site.sign_in(world.author.email)
    number = next(item["id"] for item in session.get("/tokens")["items"] if item["current"])
    world.people["organizer"].delete(f"/tokens/{number}")
    assert session.get("/me")["id"] == world.author.id


def test_lists_and_searches_show_nothing_private(site, world):
    for who in ("visitor", "member", "moderator"):
        person = world.people[who]
        listed = {topic["id"] for topic in person.get("/topics", limit=100)["items"]}
        listed |= {topic["id"] for topic in person.get("/topics", q="conversation", limit=100)["items"]}
        listed |= {topic["id"] for topic in person.get("/topics", proposer_id=world.author.id, limit=100)["items"]}
        for state in ("draft", "proposed", "withdrawn", "declined", "archived"):
            answer = person.request("GET", "/topics", state=state)
            listed |= {topic["id"] for topic in answer.json().get("items", [])}
        private = {world.things[what]["id"] for what in ("draft", "proposed", "withdrawn", "kept_back", "refused")}
        assert listed and not listed & private, who


def test_a_hidden_comment_is_a_tombstone_without_text_or_author_for_others(site, world):
    topic = world.new_open()
    comment = world.author.post(f"/topics/{topic['id']}/comments", {"body": "À cacher"})
    world.organizer.post(f"/topics/{topic['id']}/comments", {"body": "Une réponse", "parent_id": comment["id"]})
    world.organizer.post(f"/comments/{comment['id']}/moderation", {"action": "hide", "reason": "Essai"}, status=200)
    for who, sees in (("visitor", False), ("member", False), ("author", True), ("moderator", True)):
        shown = world.people[who].get(f"/topics/{topic['id']}/comments")["items"][0]
        assert shown["id"] == comment["id"] and shown["state"] == "hidden"
        assert (shown["body"] == "À cacher") is sees
        assert (shown["author"] is not None) is sees
        assert bool(shown.get("moderation_reason")) is sees
