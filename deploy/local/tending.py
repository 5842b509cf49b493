"""
The supervisor behind `make run`: what it starts, and how it is asked.

    launcher --> supervisord --> stores: postgres, redis, mailbox
                             --> daemons: topics, comments, ..., gateway  (restarted when they die)

Everything is told to end when supervisord is, the daemons first. Its configuration is in
var/run/supervisord.conf, so `supervisorctl -c var/run/supervisord.conf status` works.
"""
import os
import pathlib
import resource
import shlex
import shutil
import signal
import subprocess
import sys
import time
import xmlrpc.client

from supervisor.xmlrpc import SupervisorTransport

from layout import DEPLOY
from processes import end_children, reap
from refusal import Refusal

HERE = pathlib.Path(__file__).resolve().parent
DESCRIPTORS = 8192
START_SECONDS = 20
STOP_SECONDS = 60


def _text(value):
    """A value as supervisor's configuration wants it: % begins an expansion there."""
    return str(value).replace("%", "%%")


def _section(name, values):
    return f"[{name}]\n" + "".join(f"{key}={value}\n" for key, value in values.items()) + "\n"


def _program(layout, name, command, stop="TERM", patience=25, user=None, directory=None, replicas=1):
    values = {
        "command": _text(shlex.join(str(word) for word in command)),
        "directory": _text(directory or layout.root),
        "autostart": "false",
        "autorestart": "true",
        "startsecs": 1,  # what dies sooner is restarted after a pause that grows
        "startretries": 1000000,
        "stopsignal": stop,
        "stopwaitsecs": patience,
        "redirect_stderr": "true",
        "stdout_logfile_maxbytes": "10MB",
        "stdout_logfile_backups": 3,
        "stdout_logfile": _text(layout.log / f"{name}.log"),
    }
    if replicas > 1:
        values["numprocs"] = replicas
        values["numprocs_start"] = 1
        values["process_name"] = f"{name}-%(process_num)d"
        values["stdout_logfile"] = _text(layout.log) + f"/{name}-%(process_num)d.log"
    if user is not None:
        values["user"] = user.pw_name
    return _section(f"program:{name}", values)


def _server(layout):
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    descriptors = DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, DESCRIPTORS)
    values = {
        "nodaemon": "true",
        "silent": "true",
        "logfile": _text(layout.log / "supervisord.log"),
        "logfile_maxbytes": "10MB",
        "logfile_backups": 1,
        "pidfile": _text(layout.run / "supervisord.pid"),
        "childlogdir": _text(layout.log),
        "minfds": descriptors,
    }
    if os.geteuid() == 0:
        values["user"] = "root"
    socket = _text(layout.run / "supervisor.sock")
    return (_section("supervisord", values)
            + _section("unix_http_server", {"file": socket, "chmod": "0700"})
            + _section("supervisorctl", {"serverurl": f"unix://{socket}"})
            + _section("rpcinterface:supervisor",
                       {"supervisor.rpcinterface_factory": "supervisor.rpcinterface:make_main_rpcinterface"}))


def _stores(layout, postgres):
    """The programs that daemons need, and their configuration."""
    programs = {"postgres": _program(layout, "postgres", postgres.command(), stop="INT", patience=30,
                                     user=postgres.user, directory="/")}
    if layout.own_redis:
        redis = shutil.which("redis-server")
        if redis is None:
            raise Refusal("redis-server is not here; `make install` installs it")
        programs["redis"] = _program(layout, "redis", [
            redis, DEPLOY / "redis" / "redis.conf", "--port", "0", "--unixsocket", layout.redis / "redis.sock",
            "--unixsocketperm", "700", "--dir", layout.redis, "--loglevel", "warning"])
    if layout.smtp is not None:
        programs["mailbox"] = _program(layout, "mailbox", [
            sys.executable, HERE / "mailbox.py", layout.smtp[0], layout.smtp[1], layout.mailbox])
    return programs


def write_configuration(layout, postgres):
    stores = _stores(layout, postgres)
    daemons = {name: _program(layout, name, [layout.binary(name)], replicas=number)
               for name, number in layout.scale.items()}
    text = _server(layout) + "".join(stores.values()) + "".join(daemons.values())
    # What has the lower priority starts first and is stopped last.
    text += _section("group:stores", {"programs": ",".join(stores), "priority": 1})
    text += _section("group:daemons", {"programs": ",".join(daemons), "priority": 2})
    path = layout.run / "supervisord.conf"
    path.write_text(text, encoding="utf-8")
    return path


class Supervisor:
    """supervisord as a child of this process; stop() ends it and all it has started."""

    def __init__(self, layout, configuration):
        self.layout = layout
        errors = layout.log / "supervisord.err"
        self._process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "TERM", sys.executable, HERE / "supervise.py", configuration], cwd=layout.root, env=layout.environment(),
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors.open("wb"),
            start_new_session=True)
        self._rpc = None  # until it answers

    def wait_started(self):
        """Returns when it can be asked."""
        end = time.monotonic() + START_SECONDS
        while not self._answers():
            if not self.is_running() or time.monotonic() > end:
                raise Refusal("supervisord does not start: " + self._last_words())
            time.sleep(0.02)

    def _answers(self):
        socket = self.layout.run / "supervisor.sock"
        transport = SupervisorTransport(None, None, f"unix://{socket}")
        self._rpc = xmlrpc.client.ServerProxy("http://127.0.0.1", transport=transport).supervisor
        try:
            return self._rpc.getState()["statename"] == "RUNNING"
        except OSError:  # its socket is not there, or not listened on yet
            return False

    def _last_words(self):
        text = (self.layout.log / "supervisord.err").read_text(encoding="utf-8", errors="replace").strip()
        return text.splitlines()[-1] if text else f"see {self.layout.shown(self.layout.log / 'supervisord.log')}"

    def is_running(self):
        return self._process.poll() is None

    def wait(self):
        """Returns when it has ended; meanwhile buries what lost its own parent."""
        while self.is_running():
            reap(but=self._process.pid)
            time.sleep(0.5)

    def start_group(self, name):
        self._rpc.startProcessGroup(name, False)

    def start_daemons(self, names):
        """All replicas of these daemons, unless they run already."""
        for process in self._rpc.getAllProcessInfo():
            name = process["name"].rsplit("-", 1)[0]
            if process["group"] == "daemons" and name in names and process["pid"] == 0:
                self._rpc.startProcess(f"daemons:{process['name']}", False)

    def stop(self):
        if self.is_running():
            self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
        end_children()

