"""
make run: it starts the whole site, keeps it running, ends it without a trace, or refuses in one line.

Each test has a folder of its own for var/, and free ports. What is "left running" is any process
that has that folder in its command line, working directory or environment.
"""
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import urllib.error
import urllib.parse
import urllib.request

import pytest

from harness.patience import eventually
from harness.ports import free_port

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / os.environ.get("BUILD", "build")
LOCAL = ROOT / "deploy" / "local"
START_SECONDS = 120
STOP_SECONDS = 60
NOBODY = {"user": 65534, "group": 65534, "extra_groups": []}

sys.path.insert(0, str(LOCAL))
import processes  # noqa: E402
import words  # noqa: E402

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="changes users, mounts or folders of root's")


def processes_of(folder):
    """Processes that have to do with a folder, but for ourselves."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            about = (entry / "cmdline").read_bytes() + os.fsencode(os.readlink(entry / "cwd"))
            about += (entry / "environ").read_bytes()
        except OSError:
            continue
        if os.fsencode(folder) in about:
            found.append(about[:200])
    return found


class Launch:
    """`make run` in a folder: by default its launcher alone, on the daemons of this build."""

    def __init__(self, folder, command=None, **settings):
        self.folder = folder
        self.port, self.smtp_port = free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
        self.environment.update({"CAUSERIE_HTTP_LISTEN": f"127.0.0.1:{self.port}",
                                 "CAUSERIE_SMTP_URL": f"smtp://127.0.0.1:{self.smtp_port}",
                                 "CAUSERIE_LIMIT_FACTOR": "1000"})
        self.environment.update(settings)
        self.command = command or ["/usr/bin/python3", LOCAL / "run.py", "--build", BUILD]
        self.process = None
        self.said = ""

    def start(self):
        self.process = subprocess.Popen(self.command, cwd=self.folder, env=self.environment, text=True,
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        patience = threading.Timer(START_SECONDS, self.process.terminate)
        patience.start()
        for line in self.process.stdout:
            self.said += line
            if line.startswith("Causerie is ready: "):
                break
        patience.cancel()
        assert f"Causerie is ready: {self.url}\n" in self.said, self.said
        return self

    def stop(self, number=signal.SIGINT):
        """Returns the exit status. What does not end within a minute is told so once more, and fails the test."""
        self.process.send_signal(number)
        patience = threading.Timer(STOP_SECONDS, self.process.terminate)
        patience.start()
        self.said += self.process.stdout.read()
        assert patience.is_alive(), "it does not end"
        patience.cancel()
        return self.process.wait()

    def refusal(self, **process):
        """What it says when it does not start: (status, lines)."""
        ended = subprocess.run(self.command, cwd=self.folder, env=self.environment, text=True, timeout=START_SECONDS,
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **process)
        return ended.returncode, ended.stdout.splitlines()

    def get(self, path):
        """(status, text) of a GET; redirections are followed."""
        try:
            with urllib.request.urlopen(self.url + path, timeout=15) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def post(self, path, body, token=None, key=None):
        headers = {"Content-Type": "application/json", "Idempotency-Key": key or os.urandom(8).hex()}
        if token:
            headers["Authorization"] = "Bearer " + token
        ask = urllib.request.Request(self.url + path, json.dumps(body).encode(), headers, method="POST")
        with urllib.request.urlopen(ask, timeout=15) as answer:
            text = answer.read().decode()
            return json.loads(text) if text else None

    def sign_in(self, email, password="causerie-demo"):
        return self.post("/api/v1/tokens", {"email": email, "password": password, "label": "test"})["token"]

    def psql(self, service, statement):
        asked = subprocess.run(["psql", "-X", "-A", "-t", "-h", self.folder / "var/postgres", "-U", "causerie",
                                f"causerie_{service}", "-c", statement], capture_output=True, text=True)
        assert asked.returncode == 0, asked.stderr
        return asked.stdout.strip()

    def supervisorctl(self, *arguments):
        return subprocess.run(["supervisorctl", "-c", "var/run/supervisord.conf", *arguments], cwd=self.folder,
                              capture_output=True, text=True).stdout


def new_folder():
    """Short, since sockets lie below it, and open to the user that PostgreSQL runs as."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="run-", dir="/tmp"))
    folder.chmod(0o755)
    return folder


@pytest.fixture
def folder():
    made = new_folder()
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture(scope="module")
def used():
    """A folder that several sites live in, one after the other: only the first makes a cluster."""
    made = new_folder()
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture(scope="module")
def site():
    """The demo site, with replicas."""
    folder = new_folder()
    launch = Launch(folder, SCALE="comments=2 gateway=2", CAUSERIE_MAIL_DELAY="1s").start()
    yield launch
    launch.stop(signal.SIGTERM)
    assert launch.process.returncode == 0
    left = processes_of(folder)
    shutil.rmtree(folder, ignore_errors=True)
    assert left == []


# --- the site that it starts -------------------------------------------------------------------


def test_the_demo_accounts_are_printed_and_can_sign_in(site):
    printed = re.findall(r"^  (\S+@causerie\.example) +(\S+) +(\w+)$", site.said, re.MULTILINE)
    assert sorted(role for *_, role in printed) == ["member", "member", "member", "moderator", "organizer"]
    for email, password, _ in printed:
        assert site.sign_in(email, password)


def test_pages_show_the_demo_site(site):
    assert "Une conversation n’est pas" in site.get("/sujets/1")[1]
    status, found = site.get("/sujets?" + urllib.parse.urlencode({"q": "velo"}))
    assert status == 200 and "vélo" in found


def test_replicas_run_and_share_the_port(site):
    running = re.findall(r"^daemons:(\S+) +(?:RUNNING|STARTING)", site.supervisorctl("status"), re.MULTILINE)
    for name in ("comments-1", "comments-2", "gateway-1", "gateway-2", "topics"):
        assert name in running
    logs = [site.folder / f"var/log/gateway-{number}.log" for number in (1, 2)]

    def both_have_served():
        site.get("/sujets")
        return all("/sujets" in log.read_text() for log in logs)

    eventually(both_have_served)


def test_a_mail_is_in_the_mailbox_for_people_and_programs(site):
    site.post("/api/v1/accounts", {"email": "new@example.org", "password": "correct horse battery",
                                   "display_name": "Nouvelle Venue", "language": "fr"})

    def mails():
        return [mail for mail in json.loads(site.get("/dev/mailbox/messages.json")[1])
                if mail["to"] == "new@example.org"]

    mail = eventually(mails)[0]
    assert set(mail) >= {"id", "to", "subject"}
    text = site.get(f"/dev/mailbox/messages/{mail['id']}.eml")[1]
    assert text.startswith("X-Envelope-From: ") and "X-Envelope-To: new@example.org" in text
    assert site.get("/dev/mailbox")[0] == 200


def test_slugs_of_the_demo_are_those_the_topics_service_gives(site):
    token = site.sign_in("solene@causerie.example")
    for title in ("L’œuvre & l’été : où ça ?", "& cætera, & Łódź", "Straße " * 17,
                  "Subtitles by people who care (II): 12 % plus ÉLÈVES"):
        topic = site.post("/api/v1/topics", {
            "title": title, "lead": "Un chapô qui compte assez de caractères pour être celui d’un sujet, et rien de plus.",
            "article": "Un article. " * 30, "format": "debat", "treatment": "debat", "expertises": ["marketing"],
            "language": "fr", "place": "", "submit": False}, token)
        assert topic["slug"] == words.slug(title.strip())


def test_counters_of_the_demo_are_its_rows(site):
    assert site.psql("topics", "SELECT count(*) FROM topics t WHERE id <= 55 AND (opinions, passionnant, interessant, "
                               "moyen, sans_interet) <> (SELECT count(*), count(*) FILTER (WHERE value = 4), "
                               "count(*) FILTER (WHERE value = 3), count(*) FILTER (WHERE value = 2), "
                               "count(*) FILTER (WHERE value = 1) FROM opinions o WHERE o.topic_id = t.id)") == "0"
    assert site.psql("comments", "SELECT count(*) FROM threads t WHERE comments <> (SELECT count(*) FROM comments c "
                                 "WHERE c.topic_id = t.topic_id AND c.state = 'visible')") == "0"
    assert int(site.psql("comments", "SELECT count(*) FROM comments")) >= 300
    assert int(site.psql("topics", "SELECT count(DISTINCT state) FROM topics")) == 13
    for service, table in (("topics", "opinions"), ("topics", "topic_transitions"), ("comments", "comments")):
        column = "created_at" if table == "comments" else "at"
        assert site.psql(service, f"SELECT count(*) FROM {table} WHERE {column} > now()") == "0"


def test_the_demo_keeps_the_services_apart(site):
    asked = subprocess.run(["psql", "-X", "-h", site.folder / "var/postgres", "-U", "causerie_topics",
                            "causerie_accounts", "-c", "SELECT 1"], capture_output=True, text=True)
    assert asked.returncode != 0 and "permission denied" in asked.stderr


def test_what_dies_is_started_again_at_once(site):
    log = site.folder / "var/log/supervisord.log"
    for name in ("topics", "notifications", "related"):
        pid = int(site.supervisorctl("pid", f"daemons:{name}"))
        before = len(log.read_text("utf-8"))
        os.kill(pid, signal.SIGKILL)
        eventually(lambda: list((site.folder / "var/run").glob(f"{name}.*.admin")) not in
                   ([], [site.folder / "var/run" / f"{name}.{pid}.admin"]))
        told = re.findall(rf"(\w+): '?{name}\b", log.read_text("utf-8")[before:])
        assert told[:2] == ["exited", "spawned"], "no pause and no second try between"


def test_a_second_launcher_in_the_folder_is_refused(site):
    status, lines = Launch(site.folder).refusal()
    assert (status, len(lines)) == (1, 1) and "running already" in lines[0]
    assert site.get("/sujets")[0] == 200


# --- how it ends ---------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_left_running_however_it_is_ended(used, number):
    launch = Launch(used, DEMO="0").start()
    assert "--grant organizer" in launch.said
    status = launch.stop(number)
    assert status == (0 if number != signal.SIGKILL else -signal.SIGKILL)
    eventually(lambda: processes_of(used) == [])


def test_it_ends_what_the_supervisor_leaves_behind(used):
    launch = Launch(used, DEMO="0").start()
    os.kill(int((used / "var/run/supervisord.pid").read_text()), signal.SIGKILL)
    said = launch.process.stdout.read()
    assert launch.process.wait(60) == 1
    assert "the supervisor ended" in said
    assert processes_of(used) == []


def test_what_was_written_is_there_at_the_next_start(used):
    launch = Launch(used, DEMO="0").start()
    launch.post("/api/v1/accounts", {"email": "first@example.org", "password": "correct horse battery",
                                     "display_name": "Première", "language": "fr"})
    assert launch.stop() == 0
    launch = Launch(used).start()  # not empty any more, so no demo site comes on top
    try:
        assert launch.psql("accounts", "SELECT string_agg(email, ' ') FROM accounts") == "first@example.org"
        granted = subprocess.run([BUILD / "causerie-accounts", "--grant", "organizer", "first@example.org"],
                                 cwd=used, capture_output=True, text=True)
        assert granted.returncode == 0, granted.stderr
        assert launch.psql("accounts", "SELECT roles FROM accounts") == "3"
    finally:
        assert launch.stop() == 0


# --- what it refuses -----------------------------------------------------------------------------


@pytest.mark.parametrize("which", ["port", "smtp_port"])
def test_a_taken_port_is_one_line(folder, which):
    launch = Launch(folder)
    with socket.create_server(("127.0.0.1", getattr(launch, which))):
        status, lines = launch.refusal()
    assert (status, len(lines)) == (1, 1)
    assert f"127.0.0.1:{getattr(launch, which)} is taken by " in lines[0] and f"(pid {os.getpid()})" in lines[0]
    assert processes_of(folder) == []


def test_who_has_a_port_is_named_in_full(tmp_path):
    """The kernel's own name for a process ends after fifteen letters."""
    program = shutil.copy(os.path.realpath(sys.executable), tmp_path / "causerie-gateway-of-another")
    source = "import socket, sys; s = socket.create_server(('127.0.0.1', 0)); print(s.getsockname()[1], flush=True); input()"
    with subprocess.Popen([program, "-c", source], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert processes.listener(int(other.stdout.readline())) == f"causerie-gateway-of-another (pid {other.pid})"
        other.stdin.close()


@pytest.mark.parametrize("settings, expected", [
    ({"CAUSERIE_MAIL_DELAY": "soon"}, "CAUSERIE_MAIL_DELAY"),
    ({"CAUSERIE_HTTP_LISTEN": "eight"}, "CAUSERIE_HTTP_LISTEN"),
    ({"CAUSERIE_MAIL_DELEY": "1s"}, "did you mean CAUSERIE_MAIL_DELAY?"),
    ({"CAUSERIE_PUBLIC_URL": "example.org"}, "CAUSERIE_PUBLIC_URL"),
    ({"SCALE": "coments=2"}, "there is no daemon called coments"),
    ({"SCALE": "comments=many"}, "comments=many"),
])
def test_a_broken_setting_is_one_line(folder, settings, expected):
    status, lines = Launch(folder, **settings).refusal()
    assert (status, len(lines)) == (1, 1) and expected in lines[0]
    assert processes_of(folder) == []


def test_a_daemon_that_cannot_start_is_one_line(used):
    """Valid for --check, and yet two replicas cannot both have one port."""
    port = free_port()
    launch = Launch(used, DEMO="0", SCALE="comments=2", CAUSERIE_COMMENTS_ADMIN_LISTEN=f"127.0.0.1:{port}")
    status, lines = launch.refusal()
    assert status == 1 and lines[-1].startswith("causerie: causerie-comments: cannot listen on")
    assert processes_of(used) == []


@needs_root
def test_without_rights_to_write_it_is_one_line(folder):
    status, lines = Launch(folder).refusal(**NOBODY)
    assert (status, len(lines)) == (1, 1) and "cannot write to" in lines[0] and "Permission denied" in lines[0]
    assert processes_of(folder) == []


@needs_root
def test_without_rights_to_install_it_is_one_line(folder):
    shutil.copy(ROOT / "deploy/install.sh", folder)
    (folder / "packages.txt").write_text("run  no-such-package\nrun  libc6  99:1\n")
    launch = Launch(folder, ["sh", "install.sh", "run"], PATH="/usr/bin:/bin")
    if shutil.which("sudo"):
        pytest.skip("sudo is here, and might just do it")
    status, lines = launch.refusal(**NOBODY)
    assert (status, len(lines)) == (1, 1)
    assert "no-such-package" in lines[0] and "libc6" in lines[0] and "root" in lines[0]


@needs_root
def test_a_full_disk_is_one_line(folder):
    (folder / "var").mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", folder / "var"],
                      stderr=subprocess.DEVNULL).returncode != 0:
        pytest.skip("mounting is not allowed here")
    try:
        status, lines = Launch(folder).refusal()
    finally:
        subprocess.run(["umount", folder / "var"], check=True)
    assert (status, len(lines)) == (1, 1) and "free" in lines[0]
    assert processes_of(folder) == []


def test_too_long_a_path_is_one_line(folder):
    deep = folder / ("long" * 20)
    deep.mkdir()
    status, lines = Launch(deep).refusal()
    assert (status, len(lines)) == (1, 1) and "too long" in lines[0]


@needs_root
def test_below_a_closed_folder_the_cluster_goes_elsewhere(folder):
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    launch = Launch(closed, DEMO="0")
    try:
        launch.start()
        elsewhere = (closed / "var/postgres").resolve()
        assert elsewhere.parent == pathlib.Path("/var/lib") and f"goes to {elsewhere}" in launch.said
        assert launch.stop() == 0
    finally:
        shutil.rmtree((closed / "var/postgres").resolve(), ignore_errors=True)


# --- by make ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def checkout():
    """A checkout with a var/ of its own, whose daemons are those of this build."""
    folder = new_folder()
    for name in ("services", "proto", "tests", "deploy"):
        (folder / name).symlink_to(ROOT / name)
    # make would build again in another folder; what is tested is how it hands over.
    (folder / "Makefile").write_text(f"PYTHON := /usr/bin/python3\nBUILD := {BUILD}\nall:\n"
                                     "include deploy/local/local.mk\n")
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def test_make_run_ends_with_1_and_one_line(checkout):
    launch = Launch(checkout, ["make", "--no-print-directory", "run"])
    with socket.create_server(("127.0.0.1", launch.port)):
        status, lines = launch.refusal()
    assert (status, len(lines)) == (1, 1) and "is taken by" in lines[0]
    assert processes_of(checkout) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_make_run_starts_and_stops(checkout, number):
    launch = Launch(checkout, ["make", "--no-print-directory", "run", "DEMO=0", "SCALE=topics=2"]).start()
    assert "daemons:topics-2" in launch.supervisorctl("status")
    launch.stop(number)  # to make alone, not to the group as a terminal would
    eventually(lambda: processes_of(checkout) == [])
    assert "Causerie has stopped." in launch.said
