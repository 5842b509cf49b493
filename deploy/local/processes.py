"""
What the launcher needs to know of processes so that nothing it started outlives it.

The supervisor is told to end when the launcher dies, however it dies. What loses its own parent
(the supervisor was killed) becomes the launcher's child, which can therefore find and end it.
"""
import ctypes
import os
import pathlib
import signal
import threading
import time

FOLLOW_SECONDS = 0.3
PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36

_libc = ctypes.CDLL(None, use_errno=True)


def end_with_parent(signal_number=signal.SIGTERM):
    """This process gets the signal when its parent dies."""
    _libc.prctl(PR_SET_PDEATHSIG, int(signal_number), 0, 0, 0)


def follow_make():
    """
    Ends us when make is told to end. Ctrl-C reaches us by itself, and make hands SIGTERM on; but a SIGINT
    sent to make alone (by a program) only makes it wait for us. It stops catching that signal then.
    """
    def watch():
        while _catches_interrupt(make):
            time.sleep(FOLLOW_SECONDS)
        os.kill(os.getpid(), signal.SIGINT)

    make = os.getppid()
    if _catches_interrupt(make):
        threading.Thread(target=watch, daemon=True).start()


def _catches_interrupt(process):
    try:
        status = pathlib.Path(f"/proc/{process}/status").read_text()
    except OSError:
        return False
    caught = int(status.split("SigCgt:")[1].split()[0], 16)
    return bool(caught >> (signal.SIGINT - 1) & 1)


def adopt_orphans():
    """Descendants whose parent dies become children of this process."""
    _libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def parent_of(process):
    """0 when it is gone or a zombie."""
    try:
        state, parent = pathlib.Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[:2]
    except (OSError, ValueError):
        return 0
    return 0 if state == "Z" else int(parent)


def children(of):
    numbers = (int(entry.name) for entry in pathlib.Path("/proc").iterdir() if entry.name.isdigit())
    return [number for number in numbers if parent_of(number) == of]


def is_alive(process):
    return parent_of(process) != 0


def reap(but=None):
    """Buries children that have ended, but for one whose end somebody else waits for."""
    try:
        while ended := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            if ended.si_pid == but:
                return
            os.waitpid(ended.si_pid, 0)
    except ChildProcessError:
        pass  # there are none


def _signal(processes, number):
    for process in processes:
        try:
            os.kill(process, number)
        except (ProcessLookupError, PermissionError):
            pass  # it ended meanwhile, or is not ours


def end_children(patience=10):
    """Ends all children of this process, and theirs as they become ours. SIGINT is PostgreSQL's fast stop."""
    end = time.monotonic() + patience
    asked = set()
    while left := children(os.getpid()):
        number = signal.SIGINT if time.monotonic() < end else signal.SIGKILL
        _signal([process for process in left if process not in asked or number == signal.SIGKILL], number)
        asked.update(left)
        time.sleep(0.05)
        reap()


def name_of(process):
    """Its program's; the kernel's own name for a process ends after fifteen letters."""
    return pathlib.Path(os.readlink(f"/proc/{process}/exe").removesuffix(" (deleted)")).name


def listener(port):
    """The process that listens on a TCP port, as "nginx (pid 12)"; "another process" when we may not know."""
    inodes = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            lines = pathlib.Path(table).read_text().splitlines()[1:]
        except OSError:
            continue
        for fields in map(str.split, lines):
            if fields[3] == "0A" and int(fields[1].rsplit(":", 1)[1], 16) == port:
                inodes.add(f"socket:[{fields[9]}]")
    for descriptor in pathlib.Path("/proc").glob("[0-9]*/fd/*"):
        try:
            if os.readlink(descriptor) in inodes:
                process = descriptor.parts[2]
                return f"{name_of(process)} (pid {process})"
        except OSError:
            continue
    return "another process"
