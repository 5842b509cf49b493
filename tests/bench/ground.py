"""
The site that is measured: the demo site, generated topics beside it, 50 comments on some of them, and
members who are signed in.

    with Ground(topics=155) as site:
        wrk(site.url + site.pages[0], …)

PostgreSQL has the settings of `make run`; what is acknowledged is on disk. Mails are put off by a quarter of an hour:
who receives them is a Python program, and that is not what is measured.
"""
import contextlib
import hashlib
import os
import pathlib
import pwd
import random
import secrets
import subprocess
import sys
import tempfile
import time

import requests

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "deploy" / "local")]

import demo  # noqa: E402
from harness.deployment import BUILD, DAEMONS, DATABASES, Daemon, Deployment  # noqa: E402
from harness.ports import free_port  # noqa: E402
from harness.postgres import Postgres  # noqa: E402
from measure import cpu_seconds, cpu_with_children, resident_bytes  # noqa: E402

COMMENTS = 50
READ_TOPICS = 20  # of the generated ones have comments; the others are posted to
AUTHORS = 2000
FIRST_AUTHOR = 1000000


def postgres_settings():
    """deploy/postgres/causerie.conf, without the lines on logging."""
    lines = (ROOT / "deploy" / "postgres" / "causerie.conf").read_text("utf-8").splitlines()
    pairs = [line.split("=", 1) for line in lines if "=" in line and not line.startswith("#")]
    return {name: value for name, value in pairs if not name.startswith("log_")}


class Writer:
    """Texts like the demo site's: its sentences, drawn with a fixed seed."""

    def __init__(self):
        source = demo.Source()
        self.random = random.Random(1)
        self.expertises = [term["slug"] for term in source.taxonomy["expertises"]]
        self.sentences = [sentence.strip() + "." for topic in source.topics for sentence in
                          topic["article"].replace("\n", " ").replace("](topic:", "](").split(". ")
                          if 40 < len(sentence) < 300]
        self.bodies = [comment["body"] for topic in source.topics for comment in topic["comments"]]
        self.people = [source.people_ids[key] for key, person in source.people.items()
                       if person["state"] == "active"]
        self.topics = len(source.topics)

    def text(self, sentences):
        return " ".join(self.random.choices(self.sentences, k=sentences))

    def topic(self, number):
        title = f"{self.random.choice(self.sentences)[:80].rstrip('. ')} ({number})"
        return (number, "open", self.random.choice(self.people), title, f"sujet-{number}", self.text(2),
                "\n\n".join(self.text(4) for _ in range(4)), "fr", "talkshow", "debat",
                self.random.sample(self.expertises, 3))


class Ground(Deployment):
    def __init__(self, topics=155):
        super().__init__(fsync=True, settings={"CAUSERIE_MAIL_DELAY": "15m"})
        self.postgres = Postgres(fsync=True, settings=postgres_settings())
        self.writer = Writer()
        self.topics = range(self.writer.topics + 1, topics + 1)  # the generated ones
        self.pages = [f"/sujets/{topic}-sujet-{topic}" for topic in self.topics[:READ_TOPICS]]

    def _start(self):
        """The owners make their tables, then the rows come, then everybody starts on them."""
        self.postgres.start()
        self.redis.start()
        self.mail.start()
        self._make_environment()
        self.daemons = [Daemon(self, name, 0) for name in DAEMONS]
        for name in DATABASES:
            self.start(name)
        self._wait_owners()
        with self._key_in_environment():
            demo.load({name: self.postgres.url(f"causerie_{name}") for name in DATABASES},
                      BUILD / "causerie-accounts")
        self._add_topics()
        self._add_comments()
        self._add_authors()
        self.stop_daemons()
        self.start_daemons()
        self.wait_ready()

    @contextlib.contextmanager
    def _key_in_environment(self):
        """The loader starts causerie-accounts with ours."""
        os.environ["CAUSERIE_RPC_KEY_FILE"] = self.environment["CAUSERIE_RPC_KEY_FILE"]
        try:
            yield
        finally:
            del os.environ["CAUSERIE_RPC_KEY_FILE"]

    def _wait_owners(self):
        end = time.monotonic() + 60
        while not all(daemon.admin_address() and daemon.admin("/readyz").status_code == 200
                      for daemon in self.daemons if daemon.wanted):
            if time.monotonic() > end or not all(daemon.alive() for daemon in self.daemons if daemon.wanted):
                raise RuntimeError("the owners do not become ready:\n" + self.logs()[-3000:])
            time.sleep(0.1)

    def stop_daemons(self):
        for daemon in self.daemons:
            if daemon.alive():
                daemon.process.terminate()
        for daemon in self.daemons:
            if daemon.process is not None:
                daemon.process.wait(40)
            daemon.wanted = False

    def start_daemons(self):
        for name in DAEMONS:
            self.start(name)

    # --- rows

    @contextlib.contextmanager
    def rows(self, database):
        with contextlib.closing(self.postgres.connect(database)) as connection:
            connection.autocommit = False
            with connection, connection.cursor() as cursor:
                yield cursor

    def _add_topics(self):
        with self.rows("causerie_topics") as cursor:
            for topic in self.topics:
                cursor.execute("INSERT INTO topics (id, state, proposer_id, title, slug, lead, article, language, "
                               "format, treatment, expertises, opened_at) VALUES "
                               "(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, now())", self.writer.topic(topic))
            cursor.execute("SELECT setval(pg_get_serial_sequence('topics', 'id'), (SELECT max(id) FROM topics))")
            cursor.execute("ANALYZE topics")

    def _add_comments(self):
        with self.rows("causerie_comments") as cursor:
            cursor.execute("INSERT INTO threads (topic_id, proposer_id, state, seen_by, open) "
                           "SELECT id, 1, 'open', 'everybody', true "
                           "FROM generate_series(%s, %s) AS id", (self.topics.start, self.topics.stop - 1))
            for topic in self.topics[:READ_TOPICS]:
                self._add_thread(cursor, topic)
            cursor.execute("UPDATE threads SET comments = (SELECT count(*) FROM comments c "
                           "WHERE c.topic_id = threads.topic_id) WHERE topic_id >= %s", (self.topics.start,))
            cursor.execute("ANALYZE comments")

    def _add_thread(self, cursor, topic):
        """Every third comment begins a conversation, the two after it answer."""
        draw = self.writer.random
        for number in range(COMMENTS):
            author, body = draw.choice(self.writer.people), draw.choice(self.writer.bodies)
            if number % 3 == 0:
                cursor.execute("INSERT INTO comments (topic_id, root_id, author_id, body, language, state, replies) "
                               "VALUES (%s, currval(pg_get_serial_sequence('comments', 'id')), %s, %s, 'fr', "
                               "'visible', 2) RETURNING id, author_id", (topic, author, body))
                root, asker = cursor.fetchone()
            else:
                cursor.execute("INSERT INTO comments (topic_id, parent_id, root_id, depth, author_id, "
                               "parent_author_id, body, language, state) "
                               "VALUES (%s, %s, %s, 1, %s, %s, %s, 'fr', 'visible')",
                               (topic, root, root, author, asker, body))

    def _add_authors(self):
        """Members of their own with a token each, for the API; the first has a browser's session as well."""
        self.tokens = [secrets.token_urlsafe(32) for _ in range(AUTHORS)]
        self.cookie = secrets.token_urlsafe(32)
        with self.rows("causerie_accounts") as cursor:
            cursor.execute("INSERT INTO accounts (id, email, email_folded, display_name, name_skeleton, state) "
                           "SELECT id, id || '@example.org', id || '@example.org', 'Membre ' || id, 'membre' || id, "
                           "'active' FROM generate_series(%s, %s) AS id", (FIRST_AUTHOR, FIRST_AUTHOR + AUTHORS - 1))
            for number, token in enumerate([*self.tokens, self.cookie]):
                cursor.execute("INSERT INTO sessions (token_hash, account_id, api) VALUES (%s, %s, %s)",
                               (hashlib.sha256(token.encode()).digest(), FIRST_AUTHOR + number % AUTHORS,
                                token != self.cookie))

    def comments(self):
        with self.rows("causerie_comments") as cursor:
            cursor.execute("SELECT count(*) FROM comments")
            return cursor.fetchone()[0]

    # --- what is measured

    def pid(self, name):
        return self.replicas(name)[0].process.pid

    def pids(self):
        return [daemon.process.pid for daemon in self.daemons]

    def cpu_of_gateway(self):
        return cpu_seconds(self.pid("gateway"))

    def cpu_of_daemons(self):
        return sum(map(cpu_seconds, self.pids()))

    def cpu_of_postgres(self):
        return cpu_with_children(self.postgres._server.pid)

    def cpu(self):
        return self.cpu_of_daemons() + self.cpu_of_postgres()

    def resident(self, field="Rss"):
        return sum(resident_bytes(pid, field) for pid in self.pids())

    def kept_pages(self):
        """The bytes that the gateway's settings allow for kept pages, and are in use."""
        lines = self.replicas("gateway")[0].admin("/metrics").text.splitlines()
        return next(float(line.split()[-1]) for line in lines if line.startswith("causerie_gateway_page_cache_bytes"))

    def warm(self, path):
        """Visits a page until it is kept: what it shows may still be on its way between services."""
        http = requests.Session()
        for _ in range(4):
            answer = http.get(self.url + path, timeout=20)
            answer.raise_for_status()
            time.sleep(1)
        return answer.content

    def page_of_member(self, path):
        answer = requests.get(self.url + path, cookies={"session": self.cookie}, timeout=20)
        answer.raise_for_status()
        assert "Membre " in answer.text
        return answer.content

    def remember_sessions(self):
        """Every author has been here within the minute, so Redis knows him."""
        http = requests.Session()
        for token in self.tokens:
            http.get(self.url + "/api/v1/me", headers={"Authorization": f"Bearer {token}"}, timeout=20).raise_for_status()

    @property
    def quiet_topics(self):
        """Those without comments, to be posted to."""
        return self.topics[READ_TOPICS:]

    def authors_file(self):
        """"token topic" for each author, the quiet topics in turn."""
        path = self.folder / "authors"
        path.write_text("".join(f"{token} {self.quiet_topics[n % len(self.quiet_topics)]}\n"
                                for n, token in enumerate(self.tokens)), encoding="ascii")
        return path

    def pages_file(self, *pages):
        """These pages, or those of the topics with comments."""
        path = self.folder / f"pages-{len(pages)}"
        path.write_text("".join(page + "\n" for page in pages or self.pages), encoding="ascii")
        return path

    def make_bench_database(self):
        """The comments' tables again, for pgbench alone: nobody consumes what it announces. Also the topics' text."""
        here = ["-h", str(self.postgres.folder), "-U", "causerie"]
        self.postgres.create_database("bench")
        schema = subprocess.run(["pg_dump", "-s", *here, "causerie_comments"], check=True, capture_output=True).stdout
        subprocess.run(["psql", "-q", "-o", os.devnull, "-v", "ON_ERROR_STOP=1", *here, "bench"], input=schema,
                       check=True)
        with self.rows("bench") as cursor:
            cursor.execute("CREATE TABLE topics (id bigint PRIMARY KEY, title text, lead text, article text)")
            cursor.execute("INSERT INTO threads (topic_id, proposer_id, state, seen_by, open) "
                           "SELECT id, 1, 'open', 'everybody', true FROM generate_series(1, %s) AS id", (len(self.topics),))
            for number in range(1, READ_TOPICS + 1):
                _, _, _, title, _, lead, article, *_ = self.writer.topic(number)
                cursor.execute("INSERT INTO topics VALUES (%s, %s, %s, %s)", (number, title, lead, article))
                for _ in range(COMMENTS):
                    cursor.execute("INSERT INTO comments (topic_id, root_id, author_id, body, language, state) "
                                   "VALUES (%s, 0, 1, %s, 'fr', 'visible')",
                                   (number, self.writer.random.choice(self.writer.bodies)))
            cursor.execute("ANALYZE")


NGINX = """
daemon off;
{user}
worker_processes 1;
error_log {folder}/error.log;
pid {folder}/pid;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    sendfile on;
    tcp_nopush on;
    open_file_cache max=100;
    types {{ }}
    default_type "text/html; charset=utf-8";
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{ listen {address} backlog=1024; root {folder}/www; }}
}}
"""


class Nginx:
    """One worker that serves files as fast as it can, and writes no log."""

    def __init__(self, **files):
        self.files = files

    def __enter__(self):
        self._folder = tempfile.TemporaryDirectory(prefix="causerie-nginx-")
        folder = pathlib.Path(self._folder.name)
        address = f"127.0.0.1:{free_port()}"
        self.url = f"http://{address}"
        (folder / "www").mkdir()
        for name, content in self.files.items():
            (folder / "www" / name).write_bytes(content)
        user = f"user {pwd.getpwuid(os.geteuid()).pw_name};" if os.geteuid() == 0 else ""
        (folder / "conf").write_text(NGINX.format(folder=folder, address=address, user=user), encoding="ascii")
        self.process = subprocess.Popen(["nginx", "-p", folder, "-c", folder / "conf", "-e", folder / "error.log"])
        self._wait()
        return self

    def _wait(self):
        for _ in range(100):
            try:
                requests.get(self.url, timeout=1)
                return
            except requests.ConnectionError:
                time.sleep(0.05)
        raise RuntimeError("nginx did not start")

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        self._folder.cleanup()

    def cpu(self):
        return cpu_with_children(self.process.pid)
