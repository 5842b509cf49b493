#!/usr/bin/python3
"""
run.py - what `make run` starts: the whole site on this machine, until Ctrl-C.

    ports free? --> var/ --> build --> settings valid? --> PostgreSQL, Redis, mailbox
                --> databases --> (first time: demo site) --> daemons --> ready --> wait

Whatever stands in the way is said in one line, and everything that was started is ended; so it is
on Ctrl-C and SIGTERM. layout.py knows where things are, tending.py what is started.
"""
import argparse
import errno
import fcntl
import http.client
import os
import pathlib
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time

import demo
from layout import Layout, with_database
from postgres import Postgres
from processes import adopt_orphans, end_with_parent, follow_make, listener
from refusal import Refusal
from tending import Supervisor, write_configuration

READY_SECONDS = 90
FREE_BYTES = 300 * 1000 * 1000  # a cluster with its log takes 60 MB, the build 40 MB


class Stopped(Exception):
    """Ctrl-C or SIGTERM."""


# --- what must be true before anything is started ----------------------------------------


def refuse_taken(address, setting):
    if address is None or address[1] == 0:
        return
    host, port = address
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen()
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise Refusal(f"{host}:{port} is taken by {listener(port)}; end it, or choose another with {setting}")
            raise Refusal(f"cannot listen on {host}:{port} ({setting}): {error.strerror}")


def prepare_folders(layout):
    try:
        for folder in (layout.var, layout.log, layout.mailbox, layout.redis):
            folder.mkdir(mode=0o755 if folder is layout.var else 0o700, parents=True, exist_ok=True)
        for folder in (layout.var, layout.log, layout.mailbox, layout.redis):
            if not os.access(folder, os.W_OK | os.X_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(folder))
        layout.lock = open(layout.var / "lock", "w")
    except OSError as error:
        raise Refusal(f"cannot write to {error.filename}: {error.strerror}")
    try:
        fcntl.flock(layout.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise Refusal(f"the site of {layout.shown(layout.var)} is running already")
    free = shutil.disk_usage(layout.var).free
    if free < FREE_BYTES:
        raise Refusal(f"only {free // 1000000} MB are free for {layout.var}; it needs {FREE_BYTES // 1000000}")
    shutil.rmtree(layout.run, ignore_errors=True)
    layout.run.mkdir(mode=0o700)


def _make_flags():
    """make's flags for another make: without those of our own call and its job server."""
    flags = os.environ.get("MAKEFLAGS", "")
    variables = flags.split(" -- ", 1)[1:]
    return " -- " + variables[0] if variables else ""


def build(layout, make):
    if make is None:
        return
    environment = {**os.environ, "MAKEFLAGS": _make_flags(), "MAKELEVEL": "0"}
    jobs = len(os.sched_getaffinity(0))
    result = subprocess.run([make, "--no-print-directory", f"-j{jobs}", "all"], cwd=layout.root, env=environment)
    if result.returncode != 0:
        raise Refusal("the build failed, see above")


def make_key(layout):
    if layout.key.exists():
        return
    descriptor = os.open(layout.key, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "w", encoding="ascii") as file:
        file.write(secrets.token_hex(32) + "\n")


def check_settings(layout):
    for name in layout.scale:
        binary = layout.binary(name)
        if not binary.exists():
            raise Refusal(f"{layout.shown(binary)} is not built; `make` builds it")
        checked = subprocess.run([binary, "--check"], cwd=layout.root, env=layout.environment(),
                                 stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if checked.returncode != 0:
            raise Refusal((checked.stderr.strip().splitlines() or [f"{name} --check fails"])[-1])


# --- starting ------------------------------------------------------------------------------


def admin_addresses(layout, name):
    """The admin ports of a daemon's replicas; each process writes a file with its own."""
    run = pathlib.Path(layout.root, layout.settings.get("CAUSERIE_RUN_DIR", "var/run"))
    try:
        return [path.read_text(encoding="ascii").strip() for path in run.glob(f"{name}.*.admin")]
    except FileNotFoundError:
        return []  # one has just ended; it is looked at again


def status(address, path, timeout=2):
    """The status of GET, or 0."""
    connection = http.client.HTTPConnection(address, timeout=timeout)
    try:
        connection.request("GET", path, headers={"Accept": "text/html"})
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()


def is_ready(layout, name):
    addresses = admin_addresses(layout, name)
    return len(addresses) >= layout.scale[name] and all(status(one, "/readyz") == 200 for one in addresses)


def note_logs(layout):
    """Remembers how long the logs are, so that yesterday's complaints are not taken for today's."""
    layout.log_sizes = {path.name: path.stat().st_size for path in layout.log.glob("*.log")}


def complaint_of(layout, name):
    """What a daemon that cannot start says last: a plain line with its name, among lines of JSON."""
    for path in sorted(layout.log.glob(f"{name}*.log")):
        with open(path, encoding="utf-8", errors="replace") as log:
            log.seek(min(layout.log_sizes.get(path.name, 0), path.stat().st_size))
            said = [line.rstrip("\n") for line in log if line.startswith(f"causerie-{name}: ")]
        if said:
            return said[-1]
    return None


def wait_ready(layout, supervisor, names):
    waiting = set(names)
    end = time.monotonic() + READY_SECONDS
    while waiting:
        waiting = {name for name in waiting if not is_ready(layout, name)}
        for complaint in filter(None, (complaint_of(layout, name) for name in sorted(waiting))):
            raise Refusal(complaint)
        if not supervisor.is_running() or time.monotonic() > end:
            raise Refusal(f"{', '.join(sorted(waiting))} did not become ready; see {layout.shown(layout.log)}/")
        time.sleep(0.05)


def wait_first_page(layout, supervisor):
    host, port = layout.http
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    end = time.monotonic() + READY_SECONDS
    while status(f"[{host}]:{port}" if ":" in host else f"{host}:{port}", "/", timeout=10) != 200:
        if not supervisor.is_running() or time.monotonic() > end:
            raise Refusal(f"the gateway does not answer; see {layout.shown(layout.log)}/gateway*.log")
        time.sleep(0.05)


def load_demo(layout, supervisor):
    """The daemons make their tables first; related and the gateway start on what is then there."""
    print("Loading the demo site", flush=True)
    supervisor.start_daemons(with_database())
    wait_ready(layout, supervisor, with_database())
    demo.load({name: layout.database_url(name) for name in with_database()}, layout.binary("accounts"))


def bring_up(layout, supervisor, postgres):
    """Returns the demo accounts that one may sign in as, none without the demo site."""
    supervisor.wait_started()
    supervisor.start_group("stores")
    postgres.wait(supervisor.is_running)
    postgres.make_databases(with_database())
    found = demo.state(layout.database_url("accounts"))
    if layout.demo and found == "empty":
        load_demo(layout, supervisor)
        found = "demo"
    supervisor.start_daemons(layout.scale)
    wait_ready(layout, supervisor, layout.scale)
    wait_first_page(layout, supervisor)
    return demo.known_accounts() if found == "demo" else []


def announce(layout, accounts):
    if accounts:
        print("\nTo sign in:")
        for email, password, role in accounts:
            print(f"  {email:<28} {password:<20} {role}")
    else:
        print("\nThe site is empty. Sign up, follow the link in the mail, then make yourself its first organizer:\n"
              f"  {layout.shown(layout.binary('accounts'))} --grant organizer <your address>")
    if layout.smtp is not None:
        print(f"\nMail:  {layout.public_url}/dev/mailbox")
    print(f"Logs:  {layout.shown(layout.log)}/    Ctrl-C stops everything.\n")
    print(f"Causerie is ready: {layout.public_url}", flush=True)


def on_signal(_number, _frame):
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # once is enough
    raise Stopped


def launch(root, build_folder, make):
    layout = Layout(root, root / build_folder, dict(os.environ))
    refuse_taken(layout.http, "CAUSERIE_HTTP_LISTEN")
    refuse_taken(layout.smtp, "CAUSERIE_SMTP_URL")
    prepare_folders(layout)
    build(layout, make)
    make_key(layout)
    check_settings(layout)
    postgres = Postgres(layout)
    note_logs(layout)
    supervisor = Supervisor(layout, write_configuration(layout, postgres))
    try:
        announce(layout, bring_up(layout, supervisor, postgres))
        supervisor.wait()
        raise Refusal("the supervisor ended, and with it the site; see " + layout.shown(layout.log))
    finally:
        supervisor.stop()


def run(arguments):
    try:
        launch(pathlib.Path.cwd(), arguments.build, arguments.make)
    except Refusal as refusal:
        print(f"causerie: {refusal}", file=sys.stderr, flush=True)
        return 1
    except OSError as error:
        print(f"causerie: {error}", file=sys.stderr, flush=True)
        return 1
    except Stopped:
        print("Causerie has stopped.", flush=True)
        return 0


def main():
    parser = argparse.ArgumentParser(description="Starts the whole site in the current folder's var/.")
    parser.add_argument("--build", type=pathlib.Path, default="build", help="the folder with the daemons")
    parser.add_argument("--make", help="the make that builds them; without it they must be there")
    parser.add_argument("--status", type=pathlib.Path, help="write the exit status here instead, for make")
    arguments = parser.parse_args()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, on_signal)
    adopt_orphans()
    if arguments.status is not None:
        end_with_parent()
        follow_make()
    result = run(arguments)
    if arguments.status is None:
        return result
    arguments.status.write_text(f"{result}\n", encoding="ascii")
    return 0


if __name__ == "__main__":
    sys.exit(main())
