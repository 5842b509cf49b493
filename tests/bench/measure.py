"""
Loads, the processor time they cost, and runs in which a baseline and ours take turns.

The machine is shared and noisy. So a run begins and ends with its baseline; when the two differ by
more than a quarter the whole run is thrown away and repeated, three times at most.
"""
import dataclasses
import json
import os
import pathlib
import re
import statistics
import subprocess
import time

HERE = pathlib.Path(__file__).resolve().parent
TICKS = os.sysconf("SC_CLK_TCK")
TRIES = 3
AFTERWARDS = 0.3  # a backend of PostgreSQL is counted when it has ended
MOST_APART = 1.25


# --- processor time ------------------------------------------------------------------------


def _stat(pid):
    """The fields of /proc/<pid>/stat behind the name, or None when it has ended."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
    except OSError:
        return None


def _children(parent):
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        fields = _stat(entry.name) if entry.name.isdigit() else None
        if fields is not None and int(fields[1]) == parent:
            found.append(int(entry.name))
    return found


def cpu_seconds(pid):
    """Of a process, with what its ended children took."""
    fields = _stat(pid)
    return sum(map(int, fields[11:15])) / TICKS if fields is not None else 0


def cpu_with_children(pid):
    """Of a server that has a process for each connection."""
    return cpu_seconds(pid) + sum(map(cpu_seconds, _children(pid)))


def resident_bytes(pid, field="Rss"):
    """Pss counts what several processes share in parts."""
    status = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    return int(re.search(rf"^{field}:\s+(\d+) kB", status, re.M).group(1)) * 1024


# --- loads ---------------------------------------------------------------------------------


@dataclasses.dataclass
class Sample:
    count: int
    seconds: float
    cpu: float = 0.0  # of the servers, in seconds
    p99_us: float = 0.0
    size: int = 0  # bytes of an answer, its head included

    @property
    def rate(self):
        return self.count / self.seconds

    @property
    def cpu_us(self):
        return self.cpu * 1e6 / self.count


def wrk(url, seconds, connections, *what, headers=()):
    fields = [word for header in headers for word in ("-H", header)]
    done = subprocess.run(["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", *fields, "-s",
                           HERE / "load.lua", url, "--", *map(str, what)], capture_output=True, text=True, check=True)
    found = json.loads(done.stdout.strip().splitlines()[-1])
    if found["refused"] or found["broken"] or not found["count"]:
        raise RuntimeError(f"{url}: of {found['count']} requests {found['refused']} were refused, "
                           f"{found['broken']} broken")
    return Sample(found["count"], found["seconds"], p99_us=found["p99_us"], size=found["bytes"] // found["count"])


def pgbench(postgres, database, script, seconds, clients, **variables):
    done = subprocess.run(["pgbench", "-n", "-M", "prepared", "-c", str(clients), "-j", "1", "-T", str(seconds),
                           "-h", postgres.folder, "-p", "5432", "-U", "causerie", "-f", HERE / script,
                           *(f"-D{name}={value}" for name, value in variables.items()), database],
                          capture_output=True, text=True, check=True)
    count = int(re.search(r"actually processed: (\d+)", done.stdout).group(1))
    failed = int(re.search(r"failed transactions: (\d+)", done.stdout).group(1))
    rate = float(re.search(r"^tps = ([\d.]+)", done.stdout, re.M).group(1))
    if failed or not count:
        raise RuntimeError(f"pgbench {script}: {failed} of {count} failed")
    return Sample(count, count / rate)


def with_cpu(cpu, load):
    """A load, with what it cost; cpu() is the time the servers have taken so far."""
    before = cpu()
    sample = load()
    time.sleep(AFTERWARDS)
    sample.cpu = cpu() - before
    return sample


# --- runs ----------------------------------------------------------------------------------


@dataclasses.dataclass
class Run:
    baseline: list
    ours: list
    apart: float  # how far the first and the last baseline are from each other: 1 is not at all

    @property
    def disturbed(self):
        return self.apart > MOST_APART

    def ratio(self, figure, choose):
        return choose(map(figure, self.ours)) / choose(map(figure, self.baseline))


def rate(sample):
    return sample.rate


def cpu(sample):
    return sample.cpu_us


def latency(sample):
    """Of one client that sends the next when it has the answer, in microseconds."""
    return 1e6 / sample.rate


def p99(sample):
    return sample.p99_us


def apart(samples, figure):
    first, last = figure(samples[0]), figure(samples[-1])
    return max(first, last) / min(first, last)


def _one_run(baseline, ours, rounds, figure):
    samples = [baseline()]
    measured = []
    for _ in range(rounds):
        measured.append(ours())
        samples.append(baseline())
    return Run(samples, measured, apart(samples, figure))


def interleave(baseline, ours, rounds, figure, prepare=lambda: None):
    """A run whose baselines agree in their figure; after TRIES the last one, marked as disturbed."""
    for _ in range(TRIES):
        prepare()
        run = _one_run(baseline, ours, rounds, figure)
        if not run.disturbed:
            break
    return run


median = statistics.median
