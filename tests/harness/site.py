"""
The whole site of a test's own: PostgreSQL, Redis, a mail server and the six daemons, on free ports.

    with Site() as site:
        site.add_expertises()
        ana, organizer = site.member("Ana"), site.organizer()
        topic = site.open_topic(ana, organizer)
        ana.post(f"/topics/{topic['id']}/comments", {"body": "Bonjour"})
        site.kill("comments")
        site.start("comments")

People come in by the front door: they sign up, and confirm their address with the link from
the mail. Only an organizer's role is written straight into the database, as an operator would.
"""
import os
import pathlib
import re
import secrets
import signal
import socket
import subprocess
import tempfile
import time

import requests

from harness.postgres import Postgres
from harness.programs import BUILD
from harness.redis import Redis
from harness.smtp import MailServer

DAEMONS = ("accounts", "topics", "comments", "notifications", "related", "gateway")
WITH_DATABASE = DAEMONS[:4]
EXPERTISES = ("marketing", "confiance", "mobilite", "moderation")
ORGANIZER = 2
PASSWORD = "une phrase assez longue"
READY_SECONDS = 30


def a_topic(**fields):
    """What a topic needs to be proposed."""
    return {"title": "Une conversation n’est pas un marché",
            "lead": "Quand les marques s’invitent dans nos conversations, elles y parlent trop fort et trop faux.",
            "article": "Une conversation **n’est pas** un marché, et il y a des raisons de le dire à nouveau. " * 4,
            "format": "talkshow", "treatment": "debat", "expertises": ["marketing", "confiance"],
            "language": "fr", "submit": True, **fields}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Person:
    """Somebody at the JSON API: a visitor, or a member with a token."""

    def __init__(self, site, token=None, account=None, email=None):
        self.site = site
        self.token = token
        self.email = email
        self.id = account["id"] if account else None
        self.name = account["display_name"] if account else None

    def request(self, method, path, body=None, key=None, headers=None, **query):
        """The bare answer; path is below /api/v1."""
        headers = dict(headers or {})
        if self.token:
            headers.setdefault("Authorization", f"Bearer {self.token}")
        if key:
            headers["Idempotency-Key"] = key
        return requests.request(method, f"{self.site.url}/api/v1{path}", json=body, headers=headers,
                                params=query, timeout=20, allow_redirects=False)

    def call(self, method, path, body=None, key=None, status=None, **query):
        """What the answer holds; it must have this status, or a good one."""
        answer = self.request(method, path, body, key, **query)
        good = answer.status_code == status if status else answer.ok
        assert good, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def get(self, path, **query):
        return self.call("GET", path, **query)

    def post(self, path, body=None, **more):
        return self.call("POST", path, body, **more)

    def put(self, path, body=None, **more):
        return self.call("PUT", path, body, **more)

    def patch(self, path, body=None, **more):
        return self.call("PATCH", path, body, **more)

    def delete(self, path, **more):
        return self.call("DELETE", path, **more)


class Site:
    def __init__(self, **settings):
        self.settings = settings
        self.processes = {}

    def __enter__(self):
        self._folder = tempfile.TemporaryDirectory(prefix="causerie-site-")
        self.folder = pathlib.Path(self._folder.name)
        self.postgres = Postgres()
        self.postgres.start()
        self.redis = Redis()
        self.redis.start()
        self.mail = MailServer()
        self.mail.start()
        self._make_environment()
        for name in DAEMONS:
            self.start(name)
        self.wait_ready()
        return self

    def __exit__(self, *_):
        codes = {name: self._end(process) for name, process in self.processes.items()}
        self.mail.stop()
        self.redis.remove()
        self.postgres.remove()
        logs = [f"{name} ended with {code}:\n{self.log(name)[-3000:]}" for name, code in codes.items() if code]
        self._folder.cleanup()
        assert not logs, "\n".join(logs)

    # --- processes

    def _make_environment(self):
        (self.folder / "key").write_text(secrets.token_hex(32) + "\n")
        (self.folder / "key").chmod(0o600)
        self.url = f"http://127.0.0.1:{free_port()}"
        databases = {name: self.postgres.create_database(f"causerie_{name}") for name in WITH_DATABASE}
        self.environment = {
            "PATH": os.environ["PATH"],
            "CAUSERIE_PUBLIC_URL": self.url,
            "CAUSERIE_HTTP_LISTEN": self.url.removeprefix("http://"),
            "CAUSERIE_RUN_DIR": str(self.folder / "run"),
            "CAUSERIE_RPC_KEY_FILE": str(self.folder / "key"),
            "CAUSERIE_REDIS_URL": self.redis.url,
            "CAUSERIE_SMTP_URL": self.mail.url,
            "CAUSERIE_MAIL_DELAY": "1s",
            "CAUSERIE_LIMIT_FACTOR": "1000",
            "CAUSERIE_COMMENTS_RATE": "1000000",
            **{f"CAUSERIE_{name.upper()}_DATABASE_URL": url for name, url in databases.items()},
            **{name: value for name, value in os.environ.items() if name.endswith("SAN_OPTIONS")},
            **self.settings,
        }

    def start(self, name):
        with open(self.folder / f"{name}.log", "ab") as log:
            self.processes[name] = subprocess.Popen(
                [BUILD / f"causerie-{name}"], env=self.environment, cwd=self.folder,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def kill(self, name):
        self.processes[name].kill()
        self.processes[name].wait()

    def pause(self, name):
        self.processes[name].send_signal(signal.SIGSTOP)

    def resume(self, name):
        self.processes[name].send_signal(signal.SIGCONT)

    def log(self, name):
        return (self.folder / f"{name}.log").read_text("utf-8", "replace")

    @staticmethod
    def _end(process):
        """The exit code; one that a test has killed ended as it should."""
        if process.poll() is not None:
            return 0 if process.returncode == -signal.SIGKILL else process.returncode
        process.send_signal(signal.SIGCONT)
        process.terminate()
        try:
            return process.wait(25)
        except subprocess.TimeoutExpired:
            process.kill()
            return process.wait()

    def wait_ready(self):
        """Until every daemon answers, through the gateway."""
        paths = ("/topics", "/topics/999999/comments", "/topics/999999/related")
        visitor = self.visitor()
        end = time.monotonic() + READY_SECONDS
        while True:
            try:
                answers = [visitor.request("GET", path).status_code < 500 for path in paths]
                answers.append(visitor.request("POST", "/accounts/verify", {"token": "none"}).status_code < 500)
            except requests.ConnectionError:
                answers = [False]
            if all(answers):
                return
            assert time.monotonic() < end, "\n".join(self.log(name)[-1500:] for name in DAEMONS)
            time.sleep(0.05)

    # --- people

    def visitor(self):
        return Person(self)

    def sign_up(self, name, language="fr"):
        """Asks for an account of exactly that name; its address is not confirmed yet."""
        address = f"{secrets.token_hex(6)}@example.org"
        self.visitor().post("/accounts", {"email": address, "password": PASSWORD, "display_name": name,
                                          "language": language}, status=202)
        return address

    def verify(self, address):
        """With the token of the link in the mail."""
        message = self.mail.wait_for(address)
        token = next(re.search(r"/verification/([\w-]+)", link).group(1)
                     for link in message.links() if "/verification/" in link)
        self.visitor().post("/accounts/verify", {"token": token}, status=204)

    def sign_in(self, address, password=PASSWORD):
        answer = self.visitor().post("/tokens", {"email": address, "password": password, "label": "test"}, status=201)
        return Person(self, answer["token"], answer["account"], address)

    def member(self, name, language="fr", roles=0):
        address = self.sign_up(name, language)
        self.verify(address)
        if roles:
            self.sql("accounts", "UPDATE accounts SET roles = %s WHERE email = %s", roles, address)
        return self.sign_in(address)

    def organizer(self, name="Olympe"):
        return self.member(name, roles=ORGANIZER)

    # --- topics

    def sql(self, service, statement, *values):
        connection = self.postgres.connect(f"causerie_{service}")
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement, values)
                return cursor.fetchall() if cursor.description else None
        finally:
            connection.close()

    def add_expertises(self, *slugs):
        for slug in slugs or EXPERTISES:
            self.sql("topics", "INSERT INTO terms (kind, slug, label_fr, label_en)"
                               " VALUES ('expertise', %s, %s, %s) ON CONFLICT DO NOTHING", slug, slug, slug)

    def open_topic(self, proposer, organizer, **fields):
        """Open, and known as open to comments, which hears of it by an event."""
        topic = proposer.post("/topics", a_topic(**fields))
        topic = organizer.post(f"/topics/{topic['id']}/transitions", {"to": "open", "version": topic["version"]})
        end = time.monotonic() + READY_SECONDS
        while not self.visitor().get(f"/topics/{topic['id']}/comments")["open"]:
            assert time.monotonic() < end, "comments does not hear of an open topic"
            time.sleep(0.02)
        return topic
