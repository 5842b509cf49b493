"""
The development mailbox in a test: deploy/local/mailbox.py itself, read from its folder.

    mailbox = DevelopmentMailbox()
    site = Deployment(settings=mailbox.settings)     # /dev/mailbox is on the site
    site.mail = mailbox                              # and members read their mail from it
"""
import email
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time

from harness.patience import PATIENCE
from harness.ports import free_port
from harness.smtp import Message

PROGRAM = pathlib.Path(__file__).resolve().parents[2] / "deploy/local/mailbox.py"
START_SECONDS = 20


def _read(path):
    """A message as it was kept: its envelope stands in its first fields."""
    raw = path.read_bytes()
    head = email.message_from_bytes(raw)
    return Message(head["X-Envelope-From"], head["X-Envelope-To"].split(", "), raw)


class DevelopmentMailbox:
    def __init__(self):
        self.port = free_port()
        self.url = f"smtp://127.0.0.1:{self.port}"
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="causerie-mailbox-"))
        self.settings = {"CAUSERIE_DEV_MAILBOX": str(self.folder)}
        self._process = None

    def start(self):
        self._process = subprocess.Popen([sys.executable, PROGRAM, "127.0.0.1", str(self.port), self.folder],
                                         stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + START_SECONDS
        while not self._listens():
            assert self._process.poll() is None and time.monotonic() < deadline, "the mailbox does not start"
            time.sleep(0.05)

    def _listens(self):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self):
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
            self._process = None
        shutil.rmtree(self.folder, ignore_errors=True)

    def to(self, recipient):
        paths = sorted(self.folder.glob("*.eml"), key=lambda path: int(path.stem))
        return [message for message in map(_read, paths) if message.recipient.lower() == recipient.lower()]

    def wait_for(self, recipient, subject="", after=0, seconds=PATIENCE):
        """The first message to that address whose subject has the word in it, beyond `after` of them."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            found = [m for m in self.to(recipient) if subject in m.subject]
            if len(found) > after:
                return found[after]
            time.sleep(0.05)
        raise AssertionError(f"no mail to {recipient} with {subject!r}")
