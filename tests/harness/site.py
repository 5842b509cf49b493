"""
The whole site of a test's own: PostgreSQL, Redis, a mail server and the six daemons, on free ports.

    with Site() as site:
        member = site.member("Camille")
        site.get("/api/v1/me", token=member.token)
        site.kill("comments")
        site.start("comments")

Mails arrive in site.mails as parsed messages. Members are made by the front door; only
an organizer's role is written straight into the database, as an operator would.
"""
import asyncore
import dataclasses
import email
import email.policy
import os
import pathlib
import re
import secrets
import signal
import smtpd
import socket
import subprocess
import tempfile
import threading
import time

import requests

from harness.postgres import Postgres
from harness.programs import BUILD
from harness.redis import Redis

DAEMONS = ("accounts", "topics", "comments", "notifications", "related", "gateway")
WITH_DATABASE = DAEMONS[:4]
PASSWORD = "une phrase assez longue"
READY_SECONDS = 30


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def eventually(what, seconds=10, pause=0.05):
    """The first true result of what(), or its last one when the time is over."""
    end = time.monotonic() + seconds
    while True:
        result = what()
        if result or time.monotonic() > end:
            return result
        time.sleep(pause)


class _Sink(smtpd.SMTPServer):
    def __init__(self, mails, loop):
        super().__init__(("127.0.0.1", 0), None, map=loop)
        self.mails = mails
        self.port = self.socket.getsockname()[1]

    def process_message(self, peer, sender, recipients, data, **_):
        message = email.message_from_bytes(data, policy=email.policy.default)
        message.recipients = recipients
        self.mails.append(message)


@dataclasses.dataclass
class Member:
    id: str
    email: str
    name: str
    token: str


class Site:
    def __init__(self, **settings):
        self.settings = settings
        self.mails = []
        self.processes = {}

    def __enter__(self):
        self._folder = tempfile.TemporaryDirectory(prefix="causerie-site-")
        self.folder = pathlib.Path(self._folder.name)
        self.postgres = Postgres()
        self.postgres.start()
        self.redis = Redis()
        self.redis.start()
        self._start_sink()
        self._make_environment()
        for name in DAEMONS:
            self.start(name)
        self.wait_ready()
        return self

    def __exit__(self, *_):
        codes = {name: self._end(process) for name, process in self.processes.items()}
        self._stop_sink()
        self.redis.stop()
        self.redis.remove()
        self.postgres.stop()
        self.postgres.remove()
        logs = {name: self.log(name)[-3000:] for name, code in codes.items() if code != 0}
        self._folder.cleanup()
        assert not logs, f"ended badly: {codes}\n" + "\n".join(logs.values())

    # --- processes

    def _start_sink(self):
        self._loop = {}
        self._sink = _Sink(self.mails, self._loop)
        self._sinking = True

        def run():
            while self._sinking:
                asyncore.loop(timeout=0.1, map=self._loop, count=1)

        self._thread = threading.Thread(target=run, daemon=True)
        self._thread.start()

    def _stop_sink(self):
        self._sinking = False
        self._thread.join()
        asyncore.close_all(self._loop)

    def _make_environment(self):
        (self.folder / "key").write_text(secrets.token_hex(32) + "\n")
        (self.folder / "key").chmod(0o600)
        self.url = f"http://127.0.0.1:{free_port()}"
        self.databases = {name: self.postgres.create_database(f"causerie_{name}") for name in WITH_DATABASE}
        self.environment = {
            "PATH": os.environ["PATH"],
            "CAUSERIE_PUBLIC_URL": self.url,
            "CAUSERIE_HTTP_LISTEN": self.url.removeprefix("http://"),
            "CAUSERIE_RUN_DIR": str(self.folder / "run"),
            "CAUSERIE_RPC_KEY_FILE": str(self.folder / "key"),
            "CAUSERIE_REDIS_URL": self.redis.url,
            "CAUSERIE_SMTP_URL": f"smtp://127.0.0.1:{self._sink.port}",
            "CAUSERIE_MAIL_DELAY": "1s",
            "CAUSERIE_LIMIT_FACTOR": "1000",
            **{f"CAUSERIE_{name.upper()}_DATABASE_URL": url for name, url in self.databases.items()},
            **{name: value for name, value in os.environ.items() if name.endswith("SAN_OPTIONS")},
            **self.settings,
        }

    def start(self, name):
        log = open(self.folder / f"{name}.log", "ab")
        self.processes[name] = subprocess.Popen(
            [BUILD / f"causerie-{name}"], env=self.environment, cwd=self.folder, stdin=subprocess.DEVNULL,
            stdout=log, stderr=log)
        log.close()

    def kill(self, name):
        self.processes[name].kill()
        self.processes[name].wait()

    def pause(self, name):
        self.processes[name].send_signal(signal.SIGSTOP)

    def resume(self, name):
        self.processes[name].send_signal(signal.SIGCONT)

    def log(self, name):
        return (self.folder / f"{name}.log").read_text("utf-8", "replace")

    def _end(self, process):
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
        """Every service answers through the gateway."""
        paths = {"/api/v1/topics": 200, "/api/v1/topics/1/comments": 404, "/api/v1/topics/1/related": 404}

        def ready():
            try:
                return all(self.get(path).status_code == status for path, status in paths.items())
            except requests.ConnectionError:
                return False

        assert eventually(ready, READY_SECONDS), "\n".join(self.log(name)[-1500:] for name in DAEMONS)

    # --- requests

    def request(self, method, path, token=None, key=None, **arguments):
        headers = dict(arguments.pop("headers", {}))
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        if key is not None:
            headers["Idempotency-Key"] = key
        arguments.setdefault("allow_redirects", False)
        arguments.setdefault("timeout", 20)
        return requests.request(method, self.url + path, headers=headers, **arguments)

    def get(self, path, **arguments):
        return self.request("GET", path, **arguments)

    def post(self, path, body=None, **arguments):
        return self.request("POST", path, json=body, **arguments)

    # --- people and topics

    def sql(self, service, statement, *values):
        connection = self.postgres.connect(f"causerie_{service}")
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement, values)
                return cursor.fetchall() if cursor.description else None
        finally:
            connection.close()

    def mail_to(self, address, wanted="", seconds=15):
        """The last mail to an address whose text has the wanted words."""
        def found():
            return next((mail for mail in reversed(self.mails)
                         if address in mail.recipients and wanted in text_of(mail)), None)
        return eventually(found, seconds)

    def member(self, name, roles=0, verified=True):
        """Signs up, confirms the address with the token from the mail, and gets an API token."""
        address = f"{name.lower()}.{secrets.token_hex(4)}@example.org"
        shown = f"{name} {''.join(secrets.choice('bcdfghjkmnpqrstvwxz') for _ in range(6))}"
        answer = self.post("/api/v1/accounts", {"email": address, "password": PASSWORD,
                                                "display_name": shown, "language": "fr"})
        assert answer.status_code == 202, answer.text
        if verified:
            self.verify(address)
        if roles:
            self.sql("accounts", "UPDATE accounts SET roles = %s WHERE email = %s", roles, address)
        answer = self.token(address)
        assert answer.status_code == 201, answer.text
        return Member(answer.json()["account"]["id"], address, shown, answer.json()["token"])

    def verify(self, address):
        mail = self.mail_to(address)
        assert mail is not None, self.log("notifications")[-2000:]
        token = re.search(r"[?&]token=([A-Za-z0-9_-]+)", text_of(mail)).group(1)
        answer = self.post("/api/v1/accounts/verify", {"token": token})
        assert answer.status_code == 204, answer.text

    def token(self, address, password=PASSWORD, label="test"):
        return self.post("/api/v1/tokens", {"email": address, "password": password, "label": label})

    def add_expertises(self, *slugs):
        for slug in slugs:
            self.sql("topics", "INSERT INTO terms (kind, slug, label_fr, label_en)"
                               " VALUES ('expertise', %s, %s, %s) ON CONFLICT DO NOTHING", slug, slug, slug)

    def topic(self, proposer, title="Une conversation n’est pas un marché", **fields):
        """A topic proposed by a member; not open yet unless the member is trusted."""
        body = {"title": title, "lead": "Un chapô qui dit en quelques phrases de quoi il retourne ici. " * 2,
                "article": "Un **article** qui prend son temps, avec des mots. " * 8, "format": "talkshow",
                "treatment": "debat", "expertises": ["marketing"], "language": "fr", "submit": True, **fields}
        answer = self.post("/api/v1/topics", body, token=proposer.token)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def open_topic(self, organizer, proposer, **fields):
        topic = self.topic(proposer, **fields)
        if topic["state"] == "open":
            return topic
        answer = self.post(f"/api/v1/topics/{topic['id']}/transitions",
                           {"to": "open", "version": topic["version"]}, token=organizer.token)
        assert answer.status_code == 200, answer.text
        return answer.json()


def text_of(mail):
    part = mail.get_body(("plain",))
    return part.get_content() if part is not None else ""
