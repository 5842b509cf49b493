"""
A whole deployment of a test's own: every daemon, in as many replicas as wanted, and what they need.

    with Deployment(scale={"comments": 2}, revive=True) as site:
        ana = site.member("Ana")             # signed up, verified by the mail, with a token
        topic = ana.post("/topics", {...})
        site.replicas("comments")[0].crash()

Everything is reached as people reach it: HTTP through the gateway, mail over SMTP. A killed
daemon stays down until start(); with revive one that crashed comes back by itself, as under a supervisor.
With demo the site is the one that `make run` shows first.
"""
import itertools
import json
import os
import pathlib
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

import requests

from harness.patience import eventually
from harness.ports import free_port
from harness.postgres import Postgres
from harness.redis import Redis
from harness.smtp import MailServer

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / os.environ.get("BUILD", "build")
DATABASES = ("accounts", "topics", "comments", "notifications")
DAEMONS = DATABASES + ("related", "gateway")
PASSWORD = "une phrase assez longue"
READY_SECONDS = 60
SANITIZER_MARKS = ("ERROR: AddressSanitizer", "ERROR: LeakSanitizer", "runtime error:")


def a_name(beginning="Membre", count=itertools.count()):
    """Names that do not look like each other: no two members may have such."""
    number = next(count)
    return f"{beginning} " + "".join("bdfgkmrs"[number >> 3 * place & 7] + "aeou"[place] for place in range(4))


class Client:
    """
    Somebody who uses the JSON API. Paths are those behind /api/v1; answers are checked. Where the site is too
    busy for a moment they do as it says: they come back, a write with the key that it had.
    """

    def __init__(self, site, token=None, account=None, email=None):
        self.site = site
        self.token = token
        self.account = account
        self.email = email
        self.http = requests.Session()
        self.http.trust_env = False

    @property
    def id(self):
        return self.account["id"]

    def request(self, method, path, body=None, key=None, timeout=15, headers=None, **params):
        """The bare answer."""
        headers = {**({"Authorization": f"Bearer {self.token}"} if self.token else {}),
                   **({"Idempotency-Key": key} if key else {}), **(headers or {})}
        return self.http.request(method, f"{self.site.url}/api/v1{path}", json=body, params=params,
                                 headers=headers, timeout=timeout)

    def _expect(self, status, method, path, body=None, key=None, **params):
        key = key or (secrets.token_hex(8) if method == "POST" else None)

        def served():
            answer = self.request(method, path, body, key, **params)
            assert answer.status_code != 503 or status == 503, f"{method} {path}: {answer.text}"
            return answer

        answer = eventually(lambda: [served()])[0]  # in a list: one that refuses is false
        assert answer.status_code == status, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def get(self, path, status=200, **params):
        return self._expect(status, "GET", path, **params)

    def post(self, path, body=None, status=201, key=None):
        return self._expect(status, "POST", path, body, key)

    def put(self, path, body=None, status=200):
        return self._expect(status, "PUT", path, body)

    def patch(self, path, body=None, status=200):
        return self._expect(status, "PATCH", path, body)

    def delete(self, path, status=204):
        return self._expect(status, "DELETE", path)


class Daemon:
    def __init__(self, site, name, number):
        self.site = site
        self.name = name
        self.label = f"{name}.{number}"
        self.process = None
        self.wanted = False

    def start(self):
        self.wanted = True
        with open(self.site.folder / f"{self.label}.log", "a") as log:
            self.process = subprocess.Popen([str(BUILD / f"causerie-{self.name}")], stderr=log, stdout=log,
                                            env=self.site.environment, cwd=self.site.folder)

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def crash(self):
        """kill -9, but still wanted."""
        process = self.process  # who revives the dead may put another in its place
        process.kill()
        process.wait()

    def kill(self):
        self.wanted = False
        self.crash()

    def admin_address(self):
        path = self.site.folder / "run" / f"{self.name}.{self.process.pid}.admin"
        return path.read_text().strip() if path.exists() else None

    def admin(self, path):
        return requests.get(f"http://{self.admin_address()}{path}", timeout=5)


class Deployment:
    def __init__(self, scale=None, settings=None, revive=False, fsync=False, demo=False):
        self.demo = demo
        self.scale = scale or {}
        self.settings = settings or {}
        self.revive = revive
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="causerie-"))
        self.postgres = Postgres(fsync=fsync)
        self.redis = Redis()
        self.mail = MailServer()
        self.daemons = []
        self.url = f"http://127.0.0.1:{free_port()}"
        self.environment = None
        self._over = threading.Event()
        self._reviver = None

    def __enter__(self):
        try:
            self._start()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, failed, *_):
        statuses = self._end()
        reports = [path.read_text(errors="replace")[-8000:] for path in self.folder.glob("*.log")
                   if any(mark in path.read_text(errors="replace") for mark in SANITIZER_MARKS)]
        if not os.environ.get("KEEP"):
            shutil.rmtree(self.folder, ignore_errors=True)
        if failed is None:
            assert not reports, "\n".join(reports)
            # SIGTERM may come before a daemon that was just started listens to it
            assert not {label for label, status in statuses.items() if status not in (0, -signal.SIGTERM)}, statuses

    def _end(self):
        """Ends everything; the exit status of each daemon that was still wanted."""
        self._over.set()
        if self._reviver is not None:
            self._reviver.join()
        running = [daemon for daemon in self.daemons if daemon.alive()]
        for daemon in running:
            daemon.process.send_signal(signal.SIGCONT)
            daemon.process.terminate()
        statuses = {}
        for daemon in running:
            try:
                statuses[daemon.label] = daemon.process.wait(40)
            except subprocess.TimeoutExpired:
                daemon.process.kill()
                statuses[daemon.label] = "did not end in 40 s"
        self.mail.stop()
        self.redis.stop()
        self.redis.remove()
        self.postgres.stop()
        self.postgres.remove()
        return statuses

    def _start(self):
        self.postgres.start()
        self.redis.start()
        self.mail.start()
        self._make_environment()
        if self.demo:
            self._launch(DATABASES)
            self._load_demo()
        self._launch(name for name in DAEMONS if not self.replicas(name))
        if self.revive:
            self._reviver = threading.Thread(target=self._revive, daemon=True)
            self._reviver.start()
        self.wait_ready()

    def _launch(self, names):
        for name in names:
            for number in range(self.scale.get(name, 1)):
                self.daemons.append(Daemon(self, name, number))
                self.daemons[-1].start()

    def _load_demo(self):
        """The daemons make their tables first; related and the gateway start on what is then there."""
        self._wait_until(self._why_daemons_are_not_ready)
        subprocess.run([sys.executable, ROOT / "deploy/local/demo.py", BUILD / "causerie-accounts"],
                       env=self.environment, check=True)

    def _make_environment(self):
        key = self.folder / "rpc.key"
        key.write_text(secrets.token_hex(32))
        (self.folder / "run").mkdir()
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith("CAUSERIE_")}
        self.environment.update({
            "CAUSERIE_RUN_DIR": str(self.folder / "run"),
            "CAUSERIE_RPC_KEY_FILE": str(key),
            "CAUSERIE_REDIS_URL": self.redis.url,
            "CAUSERIE_SMTP_URL": self.mail.url,
            "CAUSERIE_PUBLIC_URL": self.url,
            "CAUSERIE_HTTP_LISTEN": self.url.removeprefix("http://"),
            "CAUSERIE_HTTP_SHARE_PORT": "1",
            "CAUSERIE_HTTP_CONNECTIONS_PER_NETWORK": "0",
            "CAUSERIE_LIMIT_FACTOR": "100000",
            "CAUSERIE_COMMENTS_RATE": "1000000",
            "CAUSERIE_MAIL_DELAY": "0s",
        })
        for name in DAEMONS:
            self.environment[f"CAUSERIE_{name.upper()}_ADMIN_LISTEN"] = "127.0.0.1:0"
        for name in DATABASES:
            self.environment[f"CAUSERIE_{name.upper()}_DATABASE_URL"] = \
                self.postgres.create_database(f"causerie_{name}")
        self.environment.update(self.settings)

    def _revive(self):
        while not self._over.wait(0.05):
            for daemon in self.daemons:
                if daemon.wanted and not daemon.alive():
                    daemon.start()

    def wait_ready(self):
        """Until every wanted daemon is ready and the gateway reaches them."""
        self._wait_until(self._why_not_ready)

    def _wait_until(self, why_not):
        deadline = time.monotonic() + READY_SECONDS
        why = "not asked"
        while time.monotonic() < deadline:
            try:
                why = why_not()
            except requests.RequestException as error:
                why = repr(error)
            if why is None:
                return
            time.sleep(0.1)
        raise AssertionError(f"the site is not ready: {why}\n{self.logs()[-6000:]}")

    def _why_not_ready(self):
        why = self._why_daemons_are_not_ready()
        if why is not None:
            return why
        answer = requests.get(f"{self.url}/api/v1/topics", timeout=5)
        return None if answer.status_code == 200 else f"gateway: {answer.status_code} {answer.text}"

    def _why_daemons_are_not_ready(self):
        for daemon in self.daemons:
            if not daemon.wanted:
                continue
            if not self.revive and not daemon.alive():
                raise AssertionError(f"{daemon.label} has ended:\n{self.log(daemon.name)[-4000:]}")
            if daemon.admin_address() is None:
                return f"{daemon.label} has no admin port yet"
            answer = daemon.admin("/readyz")
            if answer.status_code != 200:
                return f"{daemon.label}: {answer.text}"
        return None

    def replicas(self, name):
        return [daemon for daemon in self.daemons if daemon.name == name]

    def kill(self, name):
        for daemon in self.replicas(name):
            daemon.kill()

    def start(self, name):
        for daemon in self.replicas(name):
            if not daemon.alive():
                daemon.start()

    def database(self, name):
        return self.postgres.connect(f"causerie_{name}")

    def log(self, name):
        return "".join(path.read_text(errors="replace")
                       for path in sorted(self.folder.glob(f"{name}.*.log")))

    def logs(self):
        return "".join(f"--- {path.name}\n{path.read_text(errors='replace')}"
                       for path in sorted(self.folder.glob("*.log")))

    def lines(self, name, event):
        """The log lines of one event."""
        lines = [json.loads(line) for line in self.log(name).splitlines() if line.startswith("{")]
        return [fields for fields in lines if fields.get("event") == event]

    def complaints(self):
        """What the daemons warned of last, to be read beside a test that failed."""
        lines = [line for line in self.logs().splitlines() if '"level":"warn"' in line or '"level":"error"' in line]
        return "\n".join(sorted(lines)[-40:])

    # --- people and topics

    def visitor(self):
        return Client(self)

    def sign_up(self, name, language="fr"):
        address = f"m{secrets.token_hex(6)}@example.org"
        self.visitor().post("/accounts", {"email": address, "password": PASSWORD, "display_name": name,
                                          "language": language}, status=202)
        return address

    def sign_in(self, address, password=PASSWORD):
        answer = self.visitor().post("/tokens", {"email": address, "password": password, "label": "test"})
        return Client(self, answer["token"], answer["account"], address)

    def member(self, name, language="fr"):
        """Somebody who signed up, opened the link in the mail, and signed in."""
        address = self.sign_up(name, language)
        links = self.mail.wait_for(address).links()
        token = next(url for url in links if "/verification/" in url).rsplit("/", 1)[1]
        self.visitor().post("/accounts/verify", {"token": token}, status=204)
        return self.sign_in(address)

    def officer(self, role, name, language="fr"):
        """A member with a role, given as an operator gives it."""
        member = self.member(name, language)
        subprocess.run([str(BUILD / "causerie-accounts"), "--grant", role, member.email],
                       env=self.environment, check=True, cwd=self.folder)
        return self.sign_in(member.email)

    def organizer(self, name="Camille", language="fr"):
        return self.officer("organizer", name, language)

    def add_expertises(self):
        """The terms that topics of tests use."""
        terms = (("mobilite", "Mobilité", "Mobility"), ("confiance", "Confiance", "Trust"),
                 ("marketing", "Marketing", "Marketing"), ("communautes", "Communautés", "Communities"))
        with self.database("topics") as connection, connection.cursor() as cursor:
            for slug, french, english in terms:
                cursor.execute("INSERT INTO terms (kind, slug, label_fr, label_en) VALUES ('expertise', %s, %s, %s)"
                               " ON CONFLICT DO NOTHING", (slug, french, english))

    def open_topic(self, proposer, organizer, **fields):
        topic = proposer.post("/topics", a_topic(**fields))
        return organizer.post(f"/topics/{topic['id']}/transitions",
                              {"to": "open", "version": topic["version"]}, status=200)


LEAD = "Un résumé de soixante signes au moins, qui dit en une phrase de quoi l’émission pourrait parler."
ARTICLE = ("On croit souvent que tout est dit. Ce n’est pas le cas : il reste à regarder ce que font les gens, "
           "à les écouter, et à se demander pourquoi ils y reviennent. ") * 3


def a_topic(**fields):
    topic = {"title": "Une conversation n’est pas un marché", "lead": LEAD, "article": ARTICLE,
             "format": "talkshow", "treatment": "debat", "expertises": ["confiance", "marketing"],
             "language": "fr", "place": "", "submit": True}
    topic.update(fields)
    return topic
