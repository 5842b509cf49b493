"""
A daemon's life as its operators see it: settings, start, health, drain, end.

The smallest daemon (tests/harness/daemon.c) stands for all; it goes by the name of comments.
"""
import json
import os
import re
import secrets
import signal
import socket
import subprocess
import time

import pytest
import requests

from harness.patience import PATIENCE
from harness.postgres import Postgres
from harness.programs import lib_migration, program

NAME = "comments"
BINARY = program("daemon")
DRAIN_SECONDS = 20  # what has not ended by then is given up


@pytest.fixture(scope="module")
def postgres():
    with Postgres() as server:
        yield server


def new_database(server):
    name = f"t{secrets.token_hex(6)}"
    url = server.create_database(name)
    with server.connect(name) as connection, connection.cursor() as cursor:
        cursor.execute(lib_migration("outbox"))
    return url


class Daemon:
    """One process in a folder of its own."""

    def __init__(self, folder, url, **settings):
        self.folder = folder
        self.run_dir = folder / "run"
        self.log_path = folder / "log"
        key = folder / "key"
        if not key.exists():
            key.write_text(secrets.token_hex(32) + "\n")
        self.environment = {
            "PATH": os.environ["PATH"],
            "CAUSERIE_RUN_DIR": str(self.run_dir),
            "CAUSERIE_RPC_KEY_FILE": str(key),
            "CAUSERIE_COMMENTS_DATABASE_URL": url,
            **{name: value for name, value in os.environ.items() if name.endswith("SAN_OPTIONS")},
            **settings,
        }
        self.process = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
            self.process.wait()

    def start(self):
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen([BINARY], env=self.environment, stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log, cwd=self.folder)

    def file(self, kind):
        return self.run_dir / f"{NAME}.{self.process.pid}.{kind}"

    def admin(self, path, timeout=5):
        address = self.file("admin").read_text().strip()
        return requests.get(f"http://{address}{path}", timeout=timeout)

    def ready(self):
        try:
            return self.admin("/readyz").status_code == 200
        except (OSError, requests.RequestException):
            return False

    def wait(self, condition, seconds=PATIENCE):
        end = time.monotonic() + seconds
        while not condition():
            assert self.process.poll() is None, self.log()
            assert time.monotonic() < end, f"not within {seconds} s\n{self.log()}"
            time.sleep(0.02)

    def end(self, number=signal.SIGTERM, seconds=30):
        self.process.send_signal(number)
        return self.process.wait(seconds)

    def log(self):
        return self.log_path.read_text("utf-8")

    def events(self):
        return [json.loads(line)["event"] for line in self.log().splitlines() if line.startswith("{")]


@pytest.fixture
def daemon(postgres, tmp_path):
    url = new_database(postgres)
    with Daemon(tmp_path, url) as running:
        running.wait(running.ready)
        yield running


def run(folder, *arguments, **settings):
    with_key = {} if "CAUSERIE_RPC_KEY_FILE" in settings else {"CAUSERIE_RPC_KEY_FILE": str(folder / "key")}
    (folder / "key").write_text(secrets.token_hex(32))
    return subprocess.run([BINARY, *arguments], capture_output=True, text=True, timeout=60, cwd=folder,
                          env={"PATH": os.environ["PATH"], **with_key, **settings})


def refused(done, words, code=1):
    assert done.returncode == code, done
    assert words in done.stderr, done.stderr
    lines = [line for line in done.stderr.splitlines() if not line.startswith("{")]
    assert len(lines) == 1 and lines[0].startswith(f"causerie-{NAME}: "), done.stderr
    return True


# --- arguments and settings ---


def test_help_lists_every_setting_with_its_default(tmp_path):
    done = run(tmp_path, "--help")
    assert done.returncode == 0 and done.stderr == ""
    assert "CAUSERIE_PUBLIC_URL=http://127.0.0.1:8080" in done.stdout
    assert f"CAUSERIE_COMMENTS_LISTEN=ipc://{tmp_path}/var/run/comments.%d.rpc" in done.stdout


def test_help_works_in_a_broken_environment(tmp_path):
    assert run(tmp_path, "--help", CAUSERIE_LOG_LEVEL="loud", CAUSERIE_NONSENSE="1").returncode == 0


def test_version_is_one_line(tmp_path):
    assert re.fullmatch(r"causerie-comments \d+\.\d+\.\d+\n", run(tmp_path, "--version").stdout)


def test_check_validates_and_starts_nothing(tmp_path):
    done = run(tmp_path, "--check")
    assert done.returncode == 0 and "valid" in done.stdout
    assert not (tmp_path / "var").exists()


def test_an_unknown_argument_is_refused_with_2(tmp_path):
    refused(run(tmp_path, "--chek"), "unknown argument --chek", 2)


@pytest.mark.parametrize("name, value, words", [
    ("CAUSERIE_LOG_LEVL", "info", "did you mean CAUSERIE_LOG_LEVEL?"),
    ("CAUSERIE_LOG_LEVEL", "loud", "is not debug, info, warn or error"),
    ("CAUSERIE_PUBLIC_URL", "http://x/", "is not http://host"),
    ("CAUSERIE_START_TIMEOUT", "60", "needs a unit"),
    ("CAUSERIE_COMMENTS_LISTEN", "ipc:///tmp/*.rpc", "one address"),
    ("CAUSERIE_TOPICS_PEERS", "topics:1", "CAUSERIE_TOPICS_PEERS"),
    ("CAUSERIE_COMMENTS_ADMIN_LISTEN", "9101", "is not address:port"),
    ("CAUSERIE_RUN_DIR", "/tmp/" + "a" * 80, "too long"),
    ("CAUSERIE_RPC_KEY_FILE", "/nonexistent/key", "openssl rand -hex 32"),
    ("CAUSERIE_RPC_KEY_FILE", "/dev/null", "64 hexadecimal digits"),
])
def test_a_broken_setting_is_one_clear_line(tmp_path, name, value, words):
    refused(run(tmp_path, "--check", **{name: value}), words)
    refused(run(tmp_path, **{name: value}), words)


def test_a_database_password_is_never_shown(tmp_path):
    done = run(tmp_path, CAUSERIE_COMMENTS_DATABASE_URL="bad-secret-word")
    assert refused(done, "CAUSERIE_COMMENTS_DATABASE_URL")
    assert "bad-secret-word" not in done.stderr + done.stdout


def test_a_key_may_be_32_raw_bytes(tmp_path):
    (tmp_path / "raw").write_bytes(bytes(range(32)))
    assert run(tmp_path, "--check", CAUSERIE_RPC_KEY_FILE=str(tmp_path / "raw")).returncode == 0


def test_a_database_that_stays_away_ends_the_start_with_what_to_do(tmp_path):
    start = time.monotonic()
    done = run(tmp_path, CAUSERIE_COMMENTS_DATABASE_URL=f"postgresql:///x?host={tmp_path}",
               CAUSERIE_START_TIMEOUT="1s")
    refused(done, "start PostgreSQL, or correct CAUSERIE_COMMENTS_DATABASE_URL")
    assert time.monotonic() - start < PATIENCE


def test_a_taken_admin_port_is_one_clear_line(postgres, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        refused(run(tmp_path, CAUSERIE_RUN_DIR=str(tmp_path / "run"),
                    CAUSERIE_COMMENTS_DATABASE_URL=new_database(postgres),
                    CAUSERIE_COMMENTS_ADMIN_LISTEN=f"127.0.0.1:{taken.getsockname()[1]}"),
                "Address already in use")


# --- running ---


def test_it_waits_for_a_database_that_starts_later(tmp_path):
    with Postgres() as server:
        url = new_database(server)
        server.stop()
        with Daemon(tmp_path, url) as waiting:
            waiting.wait(lambda: "service.waits_for_database" in waiting.log())
            time.sleep(1)
            assert waiting.log().count("service.waits_for_database") == 1
            server.start()
            waiting.wait(waiting.ready)


def test_the_admin_port_answers_three_questions(daemon):
    assert daemon.admin("/healthz").json() == {"healthy": True}
    assert daemon.admin("/readyz").json() == {"ready": True}
    page = daemon.admin("/metrics")
    assert page.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    for name in ("causerie_tasks", "causerie_loop_lag_ms_count", "process_resident_memory_bytes"):
        assert f"\n{name} " in page.text
    families = [line.split()[2] for line in page.text.splitlines() if line.startswith("# TYPE")]
    assert len(families) == len(set(families))
    assert daemon.admin("/other").status_code == 404


def test_what_it_makes_is_for_its_user_alone(daemon):
    made = list(daemon.run_dir.iterdir())
    assert {path.name.split(".", 2)[2] for path in made} >= {"admin", "rpc"}
    assert all(path.stat().st_mode & 0o077 == 0 for path in made)
    assert daemon.run_dir.stat().st_mode & 0o077 == 0


def test_every_line_of_its_log_is_json(daemon):
    daemon.end()
    for line in daemon.log().splitlines():
        assert json.loads(line)["service"] == NAME


def test_without_its_database_it_is_alive_and_not_ready(tmp_path):
    with Postgres() as server:
        with Daemon(tmp_path, new_database(server)) as running:
            running.wait(running.ready)
            server.kill()
            running.wait(lambda: not running.ready())
            answer = running.admin("/readyz")
            assert answer.status_code == 503
            assert answer.json()["ready"] is False and "database" in answer.json()["why"]
            assert running.admin("/healthz").status_code == 200
            server.start()
            running.wait(running.ready)


def test_a_paused_process_says_that_its_loop_was_held_up(daemon):
    daemon.process.send_signal(signal.SIGSTOP)
    time.sleep(0.8)
    daemon.process.send_signal(signal.SIGCONT)
    daemon.wait(lambda: "loop.held_up" in daemon.events())


# --- ending ---


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_told_to_end_it_drains_and_leaves_nothing(daemon, number):
    start = time.monotonic()
    assert daemon.end(number) == 0, daemon.log()
    assert time.monotonic() - start < DRAIN_SECONDS
    told = [event for event in daemon.events() if event.startswith("service.")]
    assert told[-2:] == ["service.draining", "service.drained"], daemon.log()
    assert not daemon.file("admin").exists()


def test_what_is_in_flight_is_finished_first(postgres, tmp_path):
    url, start = new_database(postgres), time.monotonic()
    with Daemon(tmp_path, url, HARNESS_TASK_MS="3000") as running:
        running.wait(running.ready)
        assert running.end() == 0
        assert time.monotonic() - start > 3


def test_what_does_not_end_is_given_up_after_20_seconds_with_1(postgres, tmp_path):
    with Daemon(tmp_path, new_database(postgres), HARNESS_TASK_MS="600000") as running:
        running.wait(running.ready)
        start = time.monotonic()
        assert running.end(seconds=40) == 1
        assert time.monotonic() - start > DRAIN_SECONDS - 1
        assert "service.drain_took_too_long" in running.events()


def test_while_it_drains_it_is_alive_and_not_ready(postgres, tmp_path):
    url = new_database(postgres)
    with Daemon(tmp_path, url, CAUSERIE_DRAIN_TIME="10s") as running:
        running.wait(running.ready)
        running.process.terminate()
        running.wait(lambda: not running.ready())
        assert running.admin("/readyz").json()["why"] == "draining"
        assert running.admin("/healthz").status_code == 200
        assert running.process.wait(PATIENCE) == 0


def test_told_twice_it_ends_at_once_with_1(postgres, tmp_path):
    url = new_database(postgres)
    with Daemon(tmp_path, url, CAUSERIE_DRAIN_TIME="30s") as running:
        running.wait(running.ready)
        running.process.terminate()
        running.wait(lambda: not running.ready())
        assert running.end() == 1
        assert "service.told_twice_to_end" in running.events()


def test_what_a_killed_process_left_goes_with_the_next_start(daemon):
    left = [daemon.file("admin"), daemon.file("rpc")]
    daemon.process.kill()
    daemon.process.wait()
    assert all(path.exists() for path in left)
    daemon.start()
    daemon.wait(daemon.ready)
    assert not any(path.exists() for path in left)


def test_a_replica_in_the_same_folder_is_left_alone(daemon, postgres):
    with Daemon(daemon.folder, daemon.environment["CAUSERIE_COMMENTS_DATABASE_URL"]) as replica:
        replica.wait(replica.ready)
        assert daemon.file("rpc").exists() and daemon.file("admin").exists()
        assert daemon.ready()


def test_systemd_hears_ready_watchdog_and_stopping(postgres, tmp_path):
    url = new_database(postgres)
    path = str(tmp_path / "notify")
    heard = b""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(path)
        listener.settimeout(20)
        with Daemon(tmp_path, url, NOTIFY_SOCKET=path, WATCHDOG_USEC="500000") as running:
            while b"WATCHDOG=1" not in heard:
                heard += listener.recv(4096) + b"\n"
            assert b"READY=1" in heard
            running.process.terminate()
            while b"STOPPING=1" not in heard:
                heard += listener.recv(4096) + b"\n"
            assert running.process.wait(20) == 0
