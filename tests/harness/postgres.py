"""
A PostgreSQL cluster of a test's own, in a temporary folder, reached by unix socket.

initdb takes seconds, so it runs once and its result is kept as a tar under build/; a start
unpacks it. PostgreSQL refuses to run as root, so root starts it as an unprivileged user.
kill() is what a power cut is to the processes: all of them at once, by SIGKILL.

    with Postgres() as postgres:
        url = postgres.create_database("causerie_topics")
        connection = postgres.connect("causerie_topics")
"""
import fcntl
import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import tarfile
import tempfile
import time

import psycopg2

ROOT = pathlib.Path(__file__).resolve().parents[2]
CACHE = ROOT / "build" / "harness"
SUPERUSER = "causerie"
START_SECONDS = 30


def _bin():
    found = subprocess.run(["pg_config", "--bindir"], capture_output=True, text=True)
    if found.returncode == 0 and pathlib.Path(found.stdout.strip(), "initdb").exists():
        return pathlib.Path(found.stdout.strip())
    versions = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/initdb"),
                      key=lambda path: int(path.parts[-3]))
    if not versions:
        raise RuntimeError("PostgreSQL's server programs are not installed (apt-get install postgresql)")
    return versions[-1].parent


def _unprivileged():
    """Arguments for subprocess that leave root behind; none when we are not root."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    raise RuntimeError("no unprivileged user to run PostgreSQL as")


def _give(path, user):
    """Hands a tree to the user that will run the server."""
    if not user:
        return
    os.chown(path, user["user"], user["group"])
    for folder, folders, files in os.walk(path):
        for name in folders + files:
            os.chown(os.path.join(folder, name), user["user"], user["group"])


def _template(bindir, user):
    """The tar of a fresh cluster; made once, whoever of several test runs comes first."""
    version = subprocess.run([bindir / "postgres", "--version"], capture_output=True, text=True,
                             check=True).stdout.split()[2]
    template = CACHE / f"postgres-{version}.tar"
    CACHE.mkdir(parents=True, exist_ok=True)
    with open(CACHE / "postgres.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if template.exists():
            return template
        with tempfile.TemporaryDirectory(prefix="causerie-initdb-") as folder:
            _give(folder, user)
            subprocess.run([bindir / "initdb", "--pgdata", f"{folder}/data", "--no-sync",
                            "--username", SUPERUSER, "--auth", "trust", "--encoding", "UTF8",
                            "--locale", "C.UTF-8", "--wal-segsize", "1"],
                           check=True, stdout=subprocess.DEVNULL, cwd="/", **user)
            partial = template.with_suffix(".partial")
            with tarfile.open(partial, "w") as archive:
                archive.add(f"{folder}/data", arcname="data")
            partial.rename(template)
    return template


def _processes(postmaster):
    """The postmaster and all it has started (they leave its process group)."""
    children = [postmaster]
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            parent = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
        except (OSError, IndexError):
            continue
        if parent == postmaster:
            children.append(int(entry.name))
    return children


class Postgres:
    """One cluster. fsync=True only where durability is what is being tested."""

    def __init__(self, fsync=False, settings=None):
        self._bin = _bin()
        self._user = _unprivileged()
        self._server = None
        self._settings = {
            "fsync": "on" if fsync else "off",
            "listen_addresses": "",
            "port": "5432",  # the name of the socket
            "max_connections": "100",
            "shared_buffers": "16MB",
            "min_wal_size": "4MB",
            "max_wal_size": "64MB",
            "log_min_messages": "warning",
            "timezone": "UTC",
            **(settings or {}),
        }
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="causerie-pg-"))
        os.chmod(self.folder, 0o755)
        with tarfile.open(_template(self._bin, self._user)) as archive:
            archive.extractall(self.folder)
        os.chmod(self.folder / "data", 0o700)
        _give(self.folder, self._user)
        self.log = self.folder / "log"

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.remove()

    def start(self):
        """Returns when it answers."""
        options = [f"--{name}={value}" for name, value in self._settings.items()]
        with open(self.log, "ab") as log:
            self._server = subprocess.Popen(
                [self._bin / "postgres", "-D", self.folder / "data", "-k", self.folder, *options],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/", **self._user)
        end = time.monotonic() + START_SECONDS
        while True:
            try:
                self.connect("postgres").close()
                return
            except psycopg2.OperationalError:
                if self._server.poll() is not None or time.monotonic() > end:
                    raise RuntimeError("PostgreSQL did not start:\n" + self.log.read_text()[-2000:])
                time.sleep(0.02)

    def stop(self):
        """A fast, clean shutdown: open transactions are rolled back."""
        if self._server is not None:
            self.resume()
            self._server.send_signal(signal.SIGINT)
            self._server.wait(60)
            self._server = None

    def kill(self):
        """SIGKILL for every process at once; the postmaster is stopped first, so that it starts no other."""
        self._server.send_signal(signal.SIGSTOP)
        processes = self._signal(signal.SIGKILL)
        self._server.wait()
        self._server = None
        for process in processes[1:]:
            while os.path.exists(f"/proc/{process}"):
                time.sleep(0.005)

    def restart(self):
        self.stop()
        self.start()

    def pause(self):
        """SIGSTOP: connections stay open and nobody answers."""
        self._signal(signal.SIGSTOP)

    def resume(self):
        self._signal(signal.SIGCONT)

    def _signal(self, number):
        processes = _processes(self._server.pid)
        for process in processes:
            try:
                os.kill(process, number)
            except ProcessLookupError:
                pass  # it ended by itself meanwhile
        return processes

    def remove(self):
        """Stops it and removes its folder."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def url(self, database):
        return f"postgresql://{SUPERUSER}@/{database}?host={self.folder}&port={self._settings['port']}"

    def connect(self, database):
        """A psycopg2 connection, each statement its own transaction unless the caller says otherwise."""
        connection = psycopg2.connect(self.url(database))
        connection.autocommit = True
        return connection

    def create_database(self, name):
        """Creates an empty database; returns its URL."""
        connection = self.connect("postgres")
        try:
            connection.cursor().execute(f'CREATE DATABASE "{name}"')
        finally:
            connection.close()
        return self.url(name)
