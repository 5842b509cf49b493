"""
The small programs of tests/harness/*.c, which `make harness` builds.

    with Program("owner", url, "ipc:///tmp/x/owner.rpc") as owner:
        owner.kill()
        owner.start()
"""
import os
import pathlib
import re
import signal
import subprocess
import tempfile

from harness.patience import eventually

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / os.environ.get("BUILD", "build")
MIGRATIONS = ROOT / "services" / "lib" / "migrations"


def program(name):
    path = BUILD / "harness" / name
    assert path.exists(), f"{path} is not built: make harness"
    return path


def lib_migration(name):
    return (MIGRATIONS / f"{name}.sql").read_text("utf-8")


class Program:
    """A process with its standard output and error in files; ends with the block."""

    def __init__(self, name, *arguments):
        self.command = [program(name), *arguments]
        self.process = None
        self._out = tempfile.NamedTemporaryFile(prefix=f"causerie-{name}-", suffix=".out")
        self._log = tempfile.NamedTemporaryFile(prefix=f"causerie-{name}-", suffix=".log")

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()
        self._out.close()
        self._log.close()

    def start(self):
        self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=self._out, stderr=self._log)

    def running(self):
        return self.process is not None and self.process.poll() is None

    def kill(self):
        self.process.kill()
        self.process.wait()

    def pause(self):
        self.process.send_signal(signal.SIGSTOP)

    def resume(self):
        self.process.send_signal(signal.SIGCONT)

    def stop(self):
        """SIGTERM; it must end well (under a leak checker, too) unless it was killed before. One just started may not listen yet."""
        if not self.running():
            return
        self.resume()
        eventually(self._listens_to_sigterm)
        self.process.terminate()
        code = self.process.wait(20)
        assert code == 0, f"{self.command[0].name} ended with {code}:\n{self.log()[-4000:]}"

    def _listens_to_sigterm(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text("utf-8")
        return int(re.search(r"^SigCgt:\s*(\w+)", status, re.M)[1], 16) >> (signal.SIGTERM - 1) & 1

    def output(self):
        return pathlib.Path(self._out.name).read_text("utf-8")

    def log(self):
        return pathlib.Path(self._log.name).read_text("utf-8")
