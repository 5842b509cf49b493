"""
The private PostgreSQL cluster of `make run`, reached by a unix socket in var/postgres alone.

PostgreSQL refuses to run as root, so root runs it as an unprivileged user. That user must be able
to enter every folder above its own; below /root it cannot, and then the cluster lives in
/var/lib/causerie-<number>, with var/postgres as a link to it.
"""
import hashlib
import os
import pathlib
import pwd
import shutil
import signal
import stat
import subprocess
import time

from layout import DEPLOY
from processes import is_alive
from refusal import Refusal

SUPERUSER = "causerie"
START_SECONDS = 60
STOP_SECONDS = 30


def bindir():
    """The newest version's server programs; Debian keeps them out of PATH."""
    versions = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/postgres"),
                      key=lambda path: int(path.parts[-3]))
    if versions:
        return versions[-1].parent
    found = shutil.which("postgres")
    if found:
        return pathlib.Path(found).parent
    raise Refusal("PostgreSQL's server programs are not here; `make install` installs them")


def owner():
    """The user that PostgreSQL runs as: None when it is the one who called."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise Refusal("PostgreSQL must not run as root, and there is no user postgres or nobody to run it as")


def _as(user):
    """Arguments of subprocess to become that user."""
    if user is None:
        return {}
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def _may_enter(folder, user):
    """May the user pass through all existing folders up to this one?"""
    for part in [folder, *folder.parents]:
        if not part.exists():
            continue
        found = part.stat()
        bit = (stat.S_IXUSR if found.st_uid == user.pw_uid
               else stat.S_IXGRP if found.st_gid == user.pw_gid else stat.S_IXOTH)
        if not found.st_mode & bit:
            return False
    return True


def _place(layout, user):
    """Makes the cluster's folder, where its user can reach it; says so when that is elsewhere."""
    folder = layout.postgres
    if user is not None and not folder.is_symlink() and not folder.exists() and not _may_enter(layout.var, user):
        number = hashlib.sha256(os.fsencode(layout.root)).hexdigest()[:8]
        elsewhere = pathlib.Path(f"/var/lib/causerie-{number}")
        print(f"PostgreSQL's data goes to {elsewhere}: it runs as {user.pw_name}, who cannot enter {layout.root}",
              flush=True)
        elsewhere.mkdir(mode=0o700, exist_ok=True)
        folder.symlink_to(elsewhere)
    folder.resolve().mkdir(mode=0o700, exist_ok=True)
    if user is not None:
        os.chown(folder, user.pw_uid, user.pw_gid)
    return folder.resolve()


def _initialize(folder, user):
    """initdb, under another name first: a half-made cluster must not be taken for one."""
    unfinished = folder / "data.new"
    shutil.rmtree(unfinished, ignore_errors=True)
    made = subprocess.run(
        [bindir() / "initdb", "--pgdata", unfinished, "--username", SUPERUSER, "--auth", "trust",
         "--encoding", "UTF8", "--locale", "C.UTF-8", "--data-checksums"],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, cwd="/", **_as(user))
    if made.returncode != 0:
        lines = [line for line in made.stderr.splitlines() if "error" in line] or made.stderr.splitlines()
        shutil.rmtree(unfinished, ignore_errors=True)
        raise Refusal("PostgreSQL cannot make its cluster: " + (lines[0] if lines else "initdb failed"))
    unfinished.rename(folder / "data")


def _end_left_over(folder):
    """A cluster that outlived its launcher (kill -9) is stopped first."""
    try:
        process = int((folder / "data" / "postmaster.pid").read_text().split()[0])
        name = pathlib.Path(f"/proc/{process}/comm").read_text().strip()
        at_home = os.readlink(f"/proc/{process}/cwd") == str(folder / "data")
    except (OSError, ValueError, IndexError):
        return
    if name != "postgres" or not at_home:
        return
    os.kill(process, signal.SIGINT)
    end = time.monotonic() + STOP_SECONDS
    while is_alive(process):
        if time.monotonic() > end:
            raise Refusal(f"an earlier PostgreSQL (pid {process}) of this folder does not stop")
        time.sleep(0.05)


class Postgres:
    def __init__(self, layout):
        self.layout = layout
        self.user = owner()
        self.folder = _place(layout, self.user)
        if not (self.folder / "data" / "PG_VERSION").exists():
            print("Making a PostgreSQL cluster in", layout.shown(layout.postgres), flush=True)
            _initialize(self.folder, self.user)
        _end_left_over(self.folder)

    def command(self):
        settings = DEPLOY / "postgres" / "causerie.conf"
        options = [word for line in settings.read_text(encoding="utf-8").splitlines()
                   if line and not line.startswith("#") for word in ("-c", line.split("#")[0].replace(" ", ""))]
        return [bindir() / "postgres", "-D", self.folder / "data", "-k", self.folder,
                "-c", "listen_addresses=", *options]

    def psql(self, *arguments):
        return subprocess.run(
            [bindir() / "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", self.layout.postgres, "-U", SUPERUSER,
             "-d", "postgres", *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True)

    def wait(self, is_running):
        """Returns when it answers."""
        end = time.monotonic() + START_SECONDS
        while subprocess.run([bindir() / "pg_isready", "-q", "-h", self.layout.postgres]).returncode != 0:
            if time.monotonic() > end or not is_running():
                raise Refusal("PostgreSQL does not start: " + last_line(self.layout.log / "postgres.log"))
            time.sleep(0.05)

    def make_databases(self, services):
        """One role and one database for each; those that are there stay as they are."""
        made = self.psql("-v", "services=" + ",".join(services), "-f", DEPLOY / "postgres" / "databases.sql")
        if made.returncode != 0:
            raise Refusal("PostgreSQL cannot make the databases: " + made.stderr.strip().splitlines()[0])


def last_line(path):
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    except OSError:
        lines = []
    return lines[-1] if lines else f"{path} says nothing"
