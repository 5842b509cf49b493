"""HTTP as the running gateway speaks it: hostile bytes on the socket, and the fields of every answer."""
import json
import re
import socket
import threading
import time

import pytest
import requests

from harness.deployment import a_topic
from harness.pages import Browser
from harness.patience import eventually
from http_cases import CASES, SECOND, send, statuses

HEAD_SECONDS = 10  # a head must be complete by then
LEFT_OPEN_SECONDS = 4 * HEAD_SECONDS
SECURITY = {
    "Content-Security-Policy": "default-src 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}


@pytest.fixture(scope="module")
def topic(site, ana):
    return site.open_topic(ana, site.organizer())


@pytest.fixture(scope="module")
def slow_clients(site):
    """Connections that never finish a head, opened first so that other tests pass meanwhile."""
    clients = [SlowClient(site, first, drip) for first, drip in
               ((b"GET / HTTP/1.1\r\nHost: a", b"a"), (b"GET / HTTP/1.1\r\nHost: a\r\n", b"X: y\r\n"), (b"G", b""))]
    for client in clients:
        client.start()
    return clients


class SlowClient(threading.Thread):
    """Sends a byte or a field each second, and notes when it was told to go."""

    def __init__(self, site, first, drip):
        super().__init__(daemon=True)
        self.began = time.monotonic()
        self.connection = socket.create_connection(address(site), timeout=10)
        self.first = first
        self.drip = drip
        self.answer = b""
        self.lasted = None

    def run(self):
        self.connection.sendall(self.first)
        self.connection.settimeout(1)
        while self.lasted is None and time.monotonic() < self.began + LEFT_OPEN_SECONDS:
            try:
                piece = self.connection.recv(65536)
                self.answer += piece
                if not piece:
                    self.lasted = time.monotonic() - self.began
            except socket.timeout:
                self.send_drip()
            except ConnectionError:
                self.lasted = time.monotonic() - self.began
        self.connection.close()

    def send_drip(self):
        try:
            self.connection.sendall(self.drip)
        except ConnectionError:
            pass  # the next recv says so


def address(site):
    host, port = site.url.removeprefix("http://").split(":")
    return host, int(port)


def exchange(site, data):
    return send(address(site), data)


# --- hostile bytes


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_raw_bytes(site, slow_clients, case):
    """A refusal has its status and is the last answer; after what is accepted the next request is heard."""
    found = statuses(exchange(site, case.bytes + SECOND), to_head=case.bytes.startswith(b"HEAD"))
    if case.status != 200:
        assert found == [case.status]
    elif case.closes:
        assert len(found) == 1 and found[0] in (200, 405)
    else:
        assert len(found) == 2 and found[0] in (200, 405) and found[1] == 404


def test_a_refusal_carries_the_security_fields_and_says_close(site):
    head = exchange(site, b"GET / HTTP/1.1\r\n\r\n").split(b"\r\n\r\n")[0].decode()
    assert head.startswith("HTTP/1.1 400 ")
    fields = dict(re.findall(r"\r\n([\w-]+): ([^\r]*)", head))
    assert fields["Connection"] == "close"
    for name, begins in SECURITY.items():
        assert fields[name].startswith(begins), name


@pytest.mark.parametrize("target, kind", [("/api/v1/topics?q=é", "application/problem+json"),
                                          ("/api/v1/topics?q=%zz", "application/problem+json"),
                                          ("/sujets?q=é", "text/html; charset=utf-8")])
def test_programs_are_told_in_their_own_form_what_cannot_be_read(site, target, kind):
    head, body = exchange(site, f"GET {target} HTTP/1.1\r\nHost: x\r\n\r\n".encode()).split(b"\r\n\r\n", 1)
    assert head.startswith(b"HTTP/1.1 400 ")
    assert f"content-type: {kind}" in head.decode().lower()
    if "json" in kind:
        assert json.loads(body)["status"] == 400


def test_pipelined_requests_are_answered_in_their_order(site):
    paths = ["/", "/nothing", "/aide", "/connexion", "/nothing-else"]
    data = b"".join(f"GET {path} HTTP/1.1\r\nHost: a.test\r\n\r\n".encode() for path in paths)
    assert statuses(exchange(site, data + SECOND)) == [200, 404, 200, 200, 404, 404]


def test_a_request_in_single_bytes_is_the_same_request(site):
    with socket.create_connection(address(site), timeout=10) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in b"GET /aide HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n":
            connection.sendall(bytes([byte]))
        assert connection.recv(15) == b"HTTP/1.1 200 OK"


# --- HEAD, conditions, caching


@pytest.fixture(params=["/", "/sujets", "/topic", "/aide", "/connexion", "/nothing", "/api/v1/topics",
                        "/api/v1/topics/999999", "/api/v1/openapi.json", "/static"])
def path(site, topic, request):
    if request.param == "/topic":
        return requests.get(f"{site.url}/sujets/{topic['id']}", timeout=10).url.removeprefix(site.url)
    return static_path(site) if request.param == "/static" else request.param


def static_path(site):
    return re.search(r'<link rel="stylesheet" href="([^"]+)"', requests.get(site.url, timeout=10).text)[1]


UNEQUAL = {"date", "x-request-id", "set-cookie"}


def head_of(method, site, path):
    answer = requests.request(method, site.url + path, headers={"Accept-Encoding": "identity"}, timeout=10)
    assert method == "GET" or answer.content == b""
    return answer.status_code, {name.lower(): value for name, value in answer.headers.items()
                                if name.lower() not in UNEQUAL}


def test_head_is_get_without_its_body(site, path):
    """A page of which something was still on its way may be kept between the two; then they are asked again."""
    eventually(lambda: head_of("GET", site, path) == head_of("HEAD", site, path))


def kept(url):
    """The page once it is kept, which it is when nothing that it shows is on its way any more."""
    return eventually(lambda: (answer := requests.get(url, timeout=10)) and "ETag" in answer.headers and answer)


def test_every_answer_carries_the_security_fields(site, path):
    for answer in (requests.get(site.url + path, timeout=10), requests.post(site.url + path, timeout=10)):
        for name, begins in SECURITY.items():
            assert answer.headers[name].startswith(begins), f"{answer.status_code}: {name}"


@pytest.mark.parametrize("which", ["/", "/sujets", "topic", "static"])
def test_what_has_not_changed_is_304(site, topic, which):
    path = {"topic": f"/sujets/{topic['id']}", "static": static_path(site)}.get(which, which)
    first = kept(site.url + path)
    again = requests.get(first.url, headers={"If-None-Match": first.headers["ETag"]}, timeout=10)
    assert again.status_code == 304
    assert again.content == b""
    assert again.headers["ETag"] == first.headers["ETag"]
    for name, begins in SECURITY.items():
        assert again.headers[name].startswith(begins), name
    assert requests.get(first.url, headers={"If-None-Match": '"other"'}, timeout=10).status_code == 200


def test_a_page_that_changed_is_sent_again(site, ana, topic):
    first = kept(f"{site.url}/sujets/{topic['id']}")
    ana.post(f"/topics/{topic['id']}/comments", {"body": "Voilà qui change la page."})

    def changed():
        again = requests.get(first.url, headers={"If-None-Match": first.headers["ETag"]}, timeout=10)
        return again if again.status_code == 200 else None

    again = eventually(changed)
    assert "Voilà qui change la page." in again.text
    assert kept(first.url).headers["ETag"] != first.headers["ETag"]


def test_a_static_file_is_kept_for_ever_under_its_hash(site):
    answer = requests.get(site.url + static_path(site), timeout=10)
    assert "immutable" in answer.headers["Cache-Control"]
    assert re.search(r"[0-9a-f]{8}", static_path(site))


def test_signed_in_pages_are_kept_by_nobody(site, ana, topic):
    browser = Browser(site).sign_in(ana.email)
    for path in ("/", "/sujets", browser.get(f"/sujets/{topic['id']}").headers["Location"], "/compte",
                 "/sujets/nouveau"):
        answer = browser.get(path)
        assert answer.status_code == 200
        assert answer.headers["Cache-Control"] == "private, no-store", path
        assert "ETag" not in answer.headers
        assert "Ana" in answer.text


def test_a_signed_in_page_does_not_leak_into_a_visitors(site, ana):
    browser = Browser(site).sign_in(ana.email)
    for _ in range(3):
        assert "Ana" in browser.get("/aide").text
        visitor = Browser(site).get("/aide")
        assert not re.search(r"\bAna\b", visitor.text)
        assert "Set-Cookie" not in visitor.headers


def test_api_answers_are_kept_by_nobody(site, ana, topic):
    for path in ("/topics", f"/topics/{topic['id']}", "/me"):
        assert ana.request("GET", path).headers["Cache-Control"] == "private, no-store"


def test_get_changes_nothing(site, ana, topic):
    """Every path of the forms, asked with GET: nothing new is in any database."""
    browser = Browser(site).sign_in(ana.email)
    before = rows(site)
    for path in ("/deconnexion", f"/sujets/{topic['id']}/commentaires", f"/sujets/{topic['id']}/opinion",
                 f"/sujets/{topic['id']}/suivi", "/verification/renvoyer", "/compte/sessions/fermer",
                 f"/sujets/{topic['id']}/retirer", "/theme", "/langue"):
        assert browser.get(path).status_code in (200, 303, 404, 405), path
    assert rows(site) == before
    assert browser.is_signed_in()


def rows(site):
    """What the databases hold that a visitor's doing could change."""
    counted = {"accounts": ("outbox", "mails", "sessions WHERE ended_at IS NOT NULL"), "topics": ("outbox", "opinions"),
               "comments": ("outbox", "comments"), "notifications": ("follows", "preferences")}
    found = []
    for name, tables in counted.items():
        with site.database(name) as connection, connection.cursor() as cursor:
            for table in tables:
                cursor.execute(f"SELECT count(*) FROM {table}")
                found.append((name, table, cursor.fetchone()[0]))
    return found


def test_a_draft_is_in_no_page_and_no_list(site, ana):
    draft = ana.post("/topics", a_topic(title="Rien que pour moi, pour l’instant", submit=False))
    assert Browser(site).get(f"/sujets/{draft['id']}").status_code == 404
    assert "Rien que pour moi" not in Browser(site).get("/sujets").text


# --- slow clients; last, because their ten seconds passed while the other tests ran


def test_a_head_that_does_not_end_is_closed_whatever_trickles_in(slow_clients):
    for client in slow_clients:
        client.join(LEFT_OPEN_SECONDS)
        assert client.lasted is not None, "it was left open"
        assert client.lasted > HEAD_SECONDS - 1.5
        assert client.answer == b"" or client.answer.startswith(b"HTTP/1.1 408 ")
