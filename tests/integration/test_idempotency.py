"""
The same request twice is one write: at once, later, in a crowd, and across what was killed meanwhile.

Two gateways, two replicas of comments and of topics; every request is a connection of its own.
"""
import collections
import concurrent.futures
import json
import re
import secrets
import signal
import socket
import time

import pytest
import requests

from harness.deployment import Deployment, a_topic
from harness.pages import Browser
from harness.patience import eventually

CROWD = 20


@pytest.fixture(scope="module")
def site():
    with Deployment(scale={"gateway": 2, "comments": 2, "topics": 2}) as running:
        running.add_expertises()
        yield running


@pytest.fixture(scope="module")
def ana(site):
    return site.member("Ana")


@pytest.fixture(scope="module")
def organizer(site):
    return site.organizer()


@pytest.fixture(scope="module")
def topic(site, ana, organizer):
    return site.open_topic(ana, organizer)


Write = collections.namedtuple("Write", "service path body other count")


@pytest.fixture(params=["comments", "topics"])
def write(request, topic):
    """Something that is made once: where, with what, with what else, and how to count it."""
    mark = secrets.token_hex(6)
    if request.param == "comments":
        return Write("comments", f"/topics/{topic['id']}/comments", {"body": f"Réaction {mark}"},
                     {"body": f"Autre réaction {mark}"}, ("SELECT count(*) FROM comments WHERE body LIKE %s", mark))
    return Write("topics", "/topics", a_topic(title=f"Un sujet marqué {mark}"), a_topic(title=f"Autre sujet {mark}"),
                 ("SELECT count(*) FROM topics WHERE title LIKE %s", mark))


def ask(member, write, key, body=None):
    """The status and the id of what it made; None where nobody answered."""
    try:
        answer = requests.post(f"{member.site.url}/api/v1{write.path}", json=body or write.body, timeout=20,
                               headers={"Authorization": f"Bearer {member.token}", "Idempotency-Key": key,
                                        "Connection": "close"})
    except requests.RequestException:
        return None
    return answer.status_code, answer.json().get("id")


def made(site, write):
    statement, mark = write.count
    with site.database(write.service) as connection, connection.cursor() as cursor:
        cursor.execute(statement, (f"%{mark}%",))
        return cursor.fetchone()[0]


def events(site, write, id):
    with site.database(write.service) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM outbox WHERE type LIKE ANY (%s) AND aggregate_id = %s",
                       (["comment.posted", "topic.created"], id))
        return cursor.fetchone()[0]


def test_the_same_key_twice_is_one_write(site, ana, write):
    key = secrets.token_hex(8)
    first, again = ask(ana, write, key), ask(ana, write, key)
    assert first[0] == 201
    assert again == first
    assert made(site, write) == 1
    assert events(site, write, first[1]) == 1


def test_a_crowd_with_one_key_is_one_write_and_all_are_told_the_same(site, ana, write):
    key = secrets.token_hex(8)
    with concurrent.futures.ThreadPoolExecutor(CROWD) as pool:
        answers = set(pool.map(lambda _: ask(ana, write, key), range(CROWD)))
    assert len(answers) == 1
    assert answers.pop()[0] == 201
    assert made(site, write) == 1


def test_without_keys_each_request_is_its_own(site, ana, write):
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: ana.request("POST", write.path, write.body), range(4)))
    assert [answer.status_code for answer in answers] == [201] * 4
    assert made(site, write) == 4


def test_a_key_used_for_something_else_is_refused_and_nothing_is_made(site, ana, write):
    key = secrets.token_hex(8)
    assert ask(ana, write, key)[0] == 201
    answer = ana.request("POST", write.path, write.other, key=key)
    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"field": "idempotency_key", "reason": "taken"}]
    assert made(site, write) == 1
    assert ask(ana, write, key)[0] == 201  # the first is still the first


def test_a_key_is_its_members_own(site, ana, organizer, write):
    key = secrets.token_hex(8)
    one, other = ask(ana, write, key), ask(organizer, write, key)
    assert (one[0], other[0]) == (201, 201)
    assert one[1] != other[1]


def test_a_refused_request_does_not_use_its_key_up(site, ana, topic):
    path, key = f"/topics/{topic['id']}/comments", secrets.token_hex(8)
    refused = ana.request("POST", path, {"body": "Bonjour", "parent_id": "999999"}, key=key)
    assert refused.status_code == 422
    assert ana.request("POST", path, {"body": "Bonjour"}, key=key).status_code == 201


def test_what_was_posted_is_told_again_after_the_topic_closed(site, ana, organizer):
    topic = site.open_topic(ana, organizer)
    path, key = f"/topics/{topic['id']}/comments", secrets.token_hex(8)
    first = ana.post(path, {"body": "Juste à temps."}, key=key)
    organizer.post(f"/topics/{topic['id']}/transitions", {"to": "declined", "version": topic["version"],
                                                          "reason": "Ce sujet a déjà été traité l’an dernier."}, status=200)
    eventually(lambda: ana.request("POST", path, {"body": "Trop tard."}).status_code == 403)
    assert ana.post(path, {"body": "Juste à temps."}, key=key)["id"] == first["id"]


def test_an_edit_repeated_is_a_conflict_and_not_a_second_version(ana, topic):
    comment = ana.post(f"/topics/{topic['id']}/comments", {"body": "Première"})
    edit = {"version": comment["version"], "body": "Deuxième"}
    assert ana.request("PATCH", f"/comments/{comment['id']}", edit, key="edit").status_code == 200
    again = ana.request("PATCH", f"/comments/{comment['id']}", edit, key="edit")
    assert again.status_code == 409
    assert again.json()["current"]["body"] == "Deuxième"


# --- across what is killed


def send_and_leave(member, write, key):
    """A request on its way, whose answer nobody will read."""
    body = json.dumps(write.body).encode()
    host, port = member.site.url.removeprefix("http://").split(":")
    connection = socket.create_connection((host, int(port)), timeout=10)
    connection.sendall(f"POST /api/v1{write.path} HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Type: application/json\r\n"
                       f"Authorization: Bearer {member.token}\r\nIdempotency-Key: {key}\r\n"
                       f"Content-Length: {len(body)}\r\n\r\n".encode() + body)
    return connection


def restart(site, name):
    for daemon in site.replicas(name):
        daemon.crash()
    site.start(name)


def repeat_until_answered(member, write, key):
    answers = []

    def once():
        answers.append(ask(member, write, key))
        return answers[-1] is not None and answers[-1][0] == 201

    eventually(once)
    return answers[-1]


@pytest.mark.parametrize("pause", [0, 0.003, 0.01, 0.03])
def test_a_gateway_killed_after_sending_leaves_one_write(site, ana, write, pause):
    key = secrets.token_hex(8)
    connection = send_and_leave(ana, write, key)
    time.sleep(pause)
    restart(site, "gateway")
    answer = repeat_until_answered(ana, write, key)
    connection.close()
    assert made(site, write) == 1
    assert events(site, write, answer[1]) == 1


def test_a_write_that_was_on_its_way_when_the_gateway_died_is_made_once(site, ana, write):
    """The service stands still with the request in its hands; the gateway goes; the service goes on."""
    key = secrets.token_hex(8)
    for daemon in site.replicas(write.service):
        daemon.process.send_signal(signal.SIGSTOP)
    connection = send_and_leave(ana, write, key)
    time.sleep(0.2)
    restart(site, "gateway")
    for daemon in site.replicas(write.service):
        daemon.process.send_signal(signal.SIGCONT)
    answer = repeat_until_answered(ana, write, key)
    connection.close()
    time.sleep(0.5)
    assert made(site, write) == 1
    assert repeat_until_answered(ana, write, key) == answer


def test_a_killed_service_leaves_one_write(site, ana, write):
    key = secrets.token_hex(8)
    connection = send_and_leave(ana, write, key)
    restart(site, write.service)
    repeat_until_answered(ana, write, key)
    connection.close()
    assert made(site, write) == 1
    site.wait_ready()


# --- pages


def test_a_form_sent_twice_is_one_comment_and_the_same_page(site, ana, topic):
    browser = Browser(site).sign_in(ana.email)
    page = browser.get(browser.get(f"/sujets/{topic['id']}").headers["Location"]).text
    form = re.search(r'<form[^>]*action="[^"]*commentaires".*?</form>', page, re.S)[0]
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form))
    assert fields["key"]
    mark = secrets.token_hex(6)
    fields |= {"text": f"Double clic {mark}", "action": "publish"}
    answers = [browser.send(f"/sujets/{topic['id']}/commentaires", fields) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [303, 303]
    assert answers[0].headers["Location"] == answers[1].headers["Location"]
    with site.database("comments") as connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM comments WHERE body LIKE %s", (f"%{mark}%",))
        assert cursor.fetchone()[0] == 1
