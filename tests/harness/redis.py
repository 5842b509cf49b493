"""
A Redis server of a test's own, on a unix socket in a temporary folder, without persistence.

    with Redis() as redis:
        daemon = start(CAUSERIE_REDIS_URL=redis.url)
        redis.cli("FLUSHALL")
"""
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time

START_SECONDS = 30


class Redis:
    def __init__(self):
        self._server = None
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="causerie-redis-"))
        self.socket = self.folder / "socket"
        self.url = f"unix://{self.socket}"

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.remove()

    def start(self):
        """Returns when it answers."""
        with open(self.folder / "log", "ab") as log:
            self._server = subprocess.Popen(
                ["redis-server", "--port", "0", "--unixsocket", self.socket, "--save", "",
                 "--appendonly", "no", "--dir", self.folder],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        end = time.monotonic() + START_SECONDS
        while self.cli("PING") != "PONG":
            if self._server.poll() is not None or time.monotonic() > end:
                raise RuntimeError("Redis did not start:\n" + (self.folder / "log").read_text()[-2000:])
            time.sleep(0.02)

    def cli(self, *command):
        """One command, its answer as redis-cli prints it."""
        return subprocess.run(["redis-cli", "-s", self.socket, *command], capture_output=True,
                              text=True).stdout.strip()

    def stop(self):
        if self._server is not None:
            self._server.send_signal(signal.SIGCONT)
            self._server.terminate()
            self._server.wait(10)
            self._server = None

    def kill(self):
        """SIGKILL; everything it held is gone."""
        self._server.kill()
        self._server.wait()
        self._server = None

    def pause(self):
        """SIGSTOP: connections stay open and nobody answers."""
        self._server.send_signal(signal.SIGSTOP)

    def resume(self):
        self._server.send_signal(signal.SIGCONT)

    def remove(self):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)
