"""
Where the local site's parts are, and the settings its daemons get.

Everything lives under var/ of the folder `make run` is called in. CAUSERIE_* settings of the
environment are passed on; only what is not set gets a value here that suits one machine.
"""
import os
import pathlib
import re
import shlex
import urllib.parse

from refusal import Refusal

DEPLOY = pathlib.Path(__file__).resolve().parents[1]
SERVICES = DEPLOY.parent / "services"

REPLICAS_LIMIT = 16
PATH_LIMIT = 70  # bytes; a unix socket's path has 107, and ours add folders, names and pids


def daemons():
    """The daemons' names: the folders of services/ with a main.c."""
    return sorted(path.parent.name for path in SERVICES.glob("*/main.c"))


def with_database():
    return sorted(path.parent.name for path in SERVICES.glob("*/migrations") if path.parent.name != "lib")


def address(listen):
    """("127.0.0.1", 8080) of "127.0.0.1:8080"; None when it is no address: the daemons say so better."""
    host, colon, port = listen.rpartition(":")
    if not colon or not port.isdigit() or int(port) > 65535:
        return None
    return host.strip("[]") or "127.0.0.1", int(port)


def _scale(text):
    """{"comments": 3} of "comments=3 gateway=2"; one of each that is not named."""
    scale = dict.fromkeys(daemons(), 1)
    for word in text.replace(",", " ").split():
        name, _, number = word.partition("=")
        if name not in scale:
            raise Refusal(f"SCALE: there is no daemon called {name}, only {' '.join(scale)}")
        if not re.fullmatch(r"[1-9]\d?", number) or int(number) > REPLICAS_LIMIT:
            raise Refusal(f"SCALE: {word} wants a number of replicas, 1 to {REPLICAS_LIMIT}")
        scale[name] = int(number)
    return scale


class Layout:
    def __init__(self, root, build, environment):
        self.root = root
        self.build = build
        self.var = root / "var"
        self.run = self.var / "run"
        self.log = self.var / "log"
        self.mailbox = self.var / "mailbox"
        self.redis = self.var / "redis"
        self.postgres = self.var / "postgres"
        self.key = self.var / "rpc.key"
        self.lock = None  # held while the site runs
        self.log_sizes = {}  # of the logs, when this start began
        self.demo = environment.get("DEMO", "1") != "0"
        self.scale = _scale(environment.get("SCALE", ""))
        self.settings = self._settings(environment)
        self.http = address(self.settings["CAUSERIE_HTTP_LISTEN"])
        self.smtp = self._own_smtp(self.settings["CAUSERIE_SMTP_URL"])
        if len(os.fsencode(self.run)) > PATH_LIMIT:
            raise Refusal(f"the path {root} is too long for the sockets in it; use one of at most "
                          f"{PATH_LIMIT - len('/var/run')} bytes")

    def _settings(self, environment):
        settings = {"CAUSERIE_HTTP_LISTEN": "127.0.0.1:8080",
                    "CAUSERIE_SMTP_URL": "smtp://127.0.0.1:1025",
                    "CAUSERIE_MAIL_DELAY": "10s",
                    "CAUSERIE_REDIS_URL": f"unix://{self.redis}/redis.sock",
                    "CAUSERIE_DEV_MAILBOX": str(self.mailbox)}
        settings.update({name: value for name, value in environment.items()
                         if name.startswith("CAUSERIE_") and value})
        if self._own_smtp(settings["CAUSERIE_SMTP_URL"]) is None:
            settings.pop("CAUSERIE_DEV_MAILBOX")  # mail goes to a real server
        settings.setdefault("CAUSERIE_PUBLIC_URL", "http://" + settings["CAUSERIE_HTTP_LISTEN"])
        if self.scale.get("gateway", 1) > 1:
            settings.setdefault("CAUSERIE_HTTP_SHARE_PORT", "1")
        return settings

    @staticmethod
    def _own_smtp(setting):
        """
        Where the development mailbox listens: at CAUSERIE_SMTP_URL if that is on this machine. None for a
        real server, and so for the ports where those are.
        """
        url = urllib.parse.urlsplit(setting)
        try:
            host, port = url.hostname, url.port or 25
        except ValueError:
            return None
        if url.scheme != "smtp" or host not in ("127.0.0.1", "localhost", "::1") or port < 1024:
            return None
        return host, port

    @property
    def public_url(self):
        return self.settings["CAUSERIE_PUBLIC_URL"]

    @property
    def own_redis(self):
        return self.settings["CAUSERIE_REDIS_URL"] == f"unix://{self.redis}/redis.sock"

    def environment(self):
        """The daemons' whole environment."""
        return {**os.environ, **self.settings}

    def binary(self, name):
        return self.build / f"causerie-{name}"

    def database_url(self, name):
        encoded = urllib.parse.quote(str(self.postgres))
        default = f"postgresql:///causerie_{name}?host={encoded}&user=causerie_{name}"
        return self.settings.get(f"CAUSERIE_{name.upper()}_DATABASE_URL", default)

    def shown(self, path):
        """A path as a person in the root folder would write it."""
        try:
            return shlex.quote(str(path.relative_to(self.root)))
        except ValueError:
            return shlex.quote(str(path))
