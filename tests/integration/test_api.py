"""What the gateway promises of the JSON API, whoever asks and whatever is away."""
import hashlib
import secrets
import threading
import time

import pytest
import requests

from harness.deployment import PASSWORD, a_topic
from harness.patience import PATIENCE, eventually

HEADERS = {
    "Content-Security-Policy": "default-src 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "X-Request-Id": "",
}


@pytest.fixture(scope="module")
def topic(site, ana, organizer):
    return site.open_topic(ana, organizer)


def is_problem(answer, status):
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == status
    assert {"type", "title"} <= problem.keys()
    return problem


def errors_of(answer):
    return {(e["field"], e["reason"]) for e in is_problem(answer, 422)["errors"]}


# --- every answer


@pytest.mark.parametrize("method, path, status", [
    ("GET", "/topics", 200), ("GET", "/nothing", 404), ("PATCH", "/topics", 405), ("GET", "/me", 401),
    ("OPTIONS", "/topics", 204),
])
def test_every_answer_carries_the_security_fields(site, method, path, status):
    answer = site.visitor().request(method, path)
    assert answer.status_code == status
    for name, begins in HEADERS.items():
        assert answer.headers[name].startswith(begins)


def test_a_method_that_is_not_offered_is_told_which_are(site):
    answer = site.visitor().request("PATCH", "/topics")
    is_problem(answer, 405)
    assert answer.headers["Allow"] == "GET, HEAD, POST, OPTIONS"


def test_head_is_get_without_the_body(site, topic):
    get = site.visitor().request("GET", f"/topics/{topic['id']}")
    head = site.visitor().request("HEAD", f"/topics/{topic['id']}")
    assert head.status_code == 200
    assert head.content == b""
    assert head.headers["Content-Length"] == get.headers["Content-Length"]


@pytest.mark.parametrize("path", ["/topics/0", "/topics/x", "/topics/99999999999999999999", "/topics/1/"])
def test_what_is_no_id_is_not_found(site, path):
    is_problem(site.visitor().request("GET", path), 404)


# --- who asks


def test_cookies_are_no_tokens(site, ana):
    answer = site.visitor().request("GET", "/me", headers={"Cookie": f"session={ana.token}"})
    is_problem(answer, 401)
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="api"'


@pytest.mark.parametrize("value", ["Basic eDp5", "Bearer", "Bearer x", "Bearer " + "A" * 44, ""])
def test_what_is_no_token_is_refused(site, value):
    answer = site.visitor().request("GET", "/topics", headers={"Authorization": value})
    is_problem(answer, 401)
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]


def test_an_unknown_token_is_refused_even_where_none_is_needed(site):
    token = secrets.token_urlsafe(32)
    is_problem(site.visitor().request("GET", "/topics", headers={"Authorization": f"Bearer {token}"}), 401)


def test_an_ended_token_is_dead_at_once_and_stays_dead(site):
    member = site.member("Éphémère")
    other = site.sign_in(member.email)
    items = member.get("/tokens")["items"]
    assert [item["current"] for item in items].count(True) == 1
    current = next(item["id"] for item in items if item["current"])
    member.delete(f"/tokens/{current}", status=204)
    is_problem(member.request("GET", "/me"), 401)
    assert other.get("/me")["id"] == member.id
    site.redis.cli("FLUSHALL")
    is_problem(member.request("GET", "/me"), 401)
    assert other.get("/me")["id"] == member.id


def test_only_the_hash_of_a_token_is_in_redis(site, ana):
    ana.get("/me")
    keys = site.redis.cli("KEYS", "*").split()
    digest = hashlib.sha256(ana.token.encode()).hexdigest()
    assert f"session:{digest}" in keys
    assert 0 < int(site.redis.cli("TTL", f"session:{digest}")) <= 60
    assert not any(ana.token in key or "@" in key for key in keys)


def test_another_members_session_cannot_be_ended(site, ana):
    stranger = site.member("Étrangère")
    mine = ana.get("/tokens")["items"][0]["id"]
    assert stranger.request("DELETE", f"/tokens/{mine}").status_code in (204, 404)
    assert ana.get("/me")["id"] == ana.id


# --- what is asked


def test_unknown_members_and_wrong_types_are_told_at_once(site, ana):
    answer = ana.request("POST", "/topics", {"title": 7, "expertises": "marketing", "colour": "red"})
    assert errors_of(answer) == {("title", "malformed"), ("expertises", "malformed"), ("colour", "unknown")}


def test_members_that_only_services_may_set_are_unknown(ana, topic):
    assert errors_of(ana.request("PATCH", "/me", {"roles": 2})) == {("roles", "unknown")}
    body = {"body": "Bonjour", "topic_id": "1", "id": "3"}
    answer = ana.request("POST", f"/topics/{topic['id']}/comments", body)
    assert errors_of(answer) == {("topic_id", "unknown"), ("id", "unknown")}


def test_errors_of_services_use_the_names_of_the_api(site):
    answer = site.visitor().request("GET", "/topics", q="x" * 201)
    assert errors_of(answer) == {("q", "too_long")}


def test_unknown_parameters_and_limits_out_of_range_are_refused(site):
    answer = site.visitor().request("GET", "/topics", limit=101, state="nowhere", page=2)
    assert errors_of(answer) == {("limit", "out_of_range"), ("state", "malformed"), ("page", "unknown")}


@pytest.mark.parametrize("body, status", [
    (b"", 422), (b"{", 400), (b"[]", 400), (b'{"body":"a","body":"b"}', 400), (b"\xff", 400),
    (b'{"body":' + b"[" * 17 + b"]" * 17 + b"}", 400), (b'{"body":"\\u0000"}', 400),
    (b'{"body":1e999}', 400), (b'{"body":"' + b"x" * 70000 + b'"}', 413),
])
def test_hostile_bodies_are_refused(site, ana, topic, body, status):
    answer = requests.post(f"{site.url}/api/v1/topics/{topic['id']}/comments", data=body, timeout=10,
                           headers={"Authorization": f"Bearer {ana.token}", "Content-Type": "application/json"})
    assert answer.status_code == status


def test_a_body_must_say_that_it_is_json(site, ana, topic):
    answer = requests.post(f"{site.url}/api/v1/topics/{topic['id']}/comments", data='{"body":"a"}', timeout=10,
                           headers={"Authorization": f"Bearer {ana.token}", "Content-Type": "text/plain"})
    is_problem(answer, 415)


@pytest.mark.parametrize("key", ["", "with space", "é", "x" * 101])
def test_an_idempotency_key_has_a_form(ana, topic, key):
    answer = ana.request("POST", f"/topics/{topic['id']}/comments", {"body": "Bonjour"},
                         headers={"Idempotency-Key": key.encode()})
    is_problem(answer, 400)


# --- what is answered


def test_a_conflict_comes_with_the_fresh_state(ana, topic):
    path = f"/topics/{topic['id']}/comments"
    comment = ana.post(path, {"body": "Première version"})
    ana.patch(f"/comments/{comment['id']}", {"version": comment["version"], "body": "Deuxième"})
    answer = ana.request("PATCH", f"/comments/{comment['id']}", {"version": comment["version"], "body": "Autre"})
    current = is_problem(answer, 409)["current"]
    assert current["body"] == "Deuxième"
    assert current["version"] == comment["version"] + 1
    assert current["author"] == {"id": ana.id, "display_name": "Ana"}


def test_markdown_comes_rendered_and_harmless(ana, topic):
    comment = ana.post(f"/topics/{topic['id']}/comments",
                       {"body": "*Oui* <script>alert(1)</script> [x](javascript:alert(1)) https://a.fr"})
    assert comment["html"].startswith("<p><em>Oui</em> &lt;script&gt;")
    assert 'href="https://a.fr" rel="ugc nofollow noopener"' in comment["html"]
    assert "javascript" not in comment["html"]


def test_all_pages_of_a_list_are_walked_once(site, ana, organizer):
    topic = site.open_topic(ana, organizer, title="Un sujet dont on parle beaucoup")
    path = f"/topics/{topic['id']}/comments"
    wanted = [ana.post(path, {"body": f"Réaction {i}"})["id"] for i in range(7)]
    seen, cursor = [], None
    while True:
        page = site.visitor().get(path, limit=3, **({"cursor": cursor} if cursor else {}))
        seen += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert sorted(seen) == sorted(wanted)


def test_the_same_key_from_many_at_once_is_one_comment(site, ana, topic):
    path, key, ids = f"/topics/{topic['id']}/comments", secrets.token_hex(8), []

    def post():
        answer = ana.request("POST", path, {"body": "Tous ensemble"}, key=key)
        ids.append(answer.json()["id"] if answer.status_code == 201 else answer.status_code)

    threads = [threading.Thread(target=post) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(ids)) == 1, ids


# --- what happens now


def lines_of(stream, wanted, seconds=PATIENCE):
    end, seen = time.monotonic() + seconds, ""
    for piece in stream.iter_content(chunk_size=1, decode_unicode=True):
        seen += piece
        if all(word in seen for word in wanted) or time.monotonic() > end:
            return seen
    return seen


def test_a_stream_tells_what_happens_on_its_topic_alone(site, ana, organizer):
    topic = site.open_topic(ana, organizer, title="Un sujet suivi en direct, et un autre")
    other = site.open_topic(ana, organizer, title="Un autre sujet, dont on ne veut rien savoir")
    with requests.get(f"{site.url}/api/v1/topics/{topic['id']}/stream", stream=True, timeout=15) as stream:
        assert stream.headers["Content-Type"].startswith("text/event-stream")
        stream.encoding = "utf-8"
        ana.post(f"/topics/{other['id']}/comments", {"body": "Ailleurs"})
        comment = ana.post(f"/topics/{topic['id']}/comments", {"body": "En direct"})
        ana.put(f"/topics/{topic['id']}/opinion", {"value": 4})
        seen = lines_of(stream, ["event: comment", f'"id":"{comment["id"]}"', "event: opinion"])
    assert f'"id":"{comment["id"]}"' in seen
    assert f'"topic_id":"{other["id"]}"' not in seen
    assert "Ana" not in seen and "actor" not in seen and "author" not in seen


def test_nobody_streams_a_topic_that_they_may_not_see(site, ana):
    waiting = ana.post("/topics", a_topic(title="Un sujet que personne ne voit encore"))
    is_problem(site.visitor().request("GET", f"/topics/{waiting['id']}/stream"), 404)


# --- when something is away


def test_without_redis_members_read_and_write_and_signing_in_waits(site, ana, topic):
    ana.get("/me")
    site.redis.pause()
    try:
        assert ana.request("GET", "/me").status_code == 200
        assert ana.request("POST", f"/topics/{topic['id']}/comments", {"body": "Sans Redis"}).status_code == 201
        answer = site.visitor().request("POST", "/tokens", {"email": ana.email, "password": PASSWORD, "label": "x"})
        is_problem(answer, 503)
        assert int(answer.headers["Retry-After"]) > 0
    finally:
        site.redis.resume()
    again = {"email": ana.email, "password": PASSWORD, "label": "x"}
    eventually(lambda: site.visitor().request("POST", "/tokens", again).status_code == 201)


def test_without_accounts_known_members_go_on_and_strangers_are_unavailable(site, ana, topic):
    ana.get("/me")
    site.kill("accounts")
    try:
        assert ana.request("PUT", f"/topics/{topic['id']}/opinion", {"value": 3}).status_code == 200
        token = secrets.token_urlsafe(32)
        answer = site.visitor().request("GET", "/topics", headers={"Authorization": f"Bearer {token}"})
        is_problem(answer, 503)
        assert site.visitor().request("GET", f"/topics/{topic['id']}").json()["proposer"]["id"] == ana.id
    finally:
        site.start("accounts")
        site.wait_ready()


def test_without_its_service_a_write_is_unavailable_and_says_when_to_come_back(site, ana, topic):
    site.kill("comments")
    try:
        answer = ana.request("POST", f"/topics/{topic['id']}/comments", {"body": "Perdu ?"})
        is_problem(answer, 503)
        assert int(answer.headers["Retry-After"]) > 0
        assert site.visitor().request("GET", f"/topics/{topic['id']}").status_code == 200
    finally:
        site.start("comments")
        site.wait_ready()


def test_the_access_log_keeps_queries_and_unsubscribe_tokens_to_itself(site):
    requests.get(f"{site.url}/api/v1/topics?q=canari", timeout=10)
    requests.get(f"{site.url}/u/canari-secret-token", timeout=10)
    log = site.log("gateway")
    assert '"path":"/api/v1/topics"' in log
    assert "canari" not in log
