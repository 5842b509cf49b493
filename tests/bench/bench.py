#!/usr/bin/python3
"""
bench.py - `make bench`: measures what the house promises, and says which promises it does not keep.

Every figure is a ratio of two things measured in turns (measure.py) on a site of its own (ground.py).
First comes the servers' processor time per request, then the best round, then the median. Nothing
here is a test: it ends with 0 whatever it finds.

    BUILD=build bench.py [--only P4 …] [--rounds 5] [--seconds 2]
"""
import argparse
import contextlib
import http.client
import math
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

import ground
import measure
from ground import BUILD, ROOT, Ground, Nginx, free_port
from measure import Sample, cpu, interleave, latency, median, p99, pgbench, rate, with_cpu, wrk
from table import Line, render, summary

HERE = pathlib.Path(__file__).resolve().parent
CONNECTIONS = 64
SIGN_INS = 8
RESIDENT_FLOOR, RESIDENT_GOAL, RESIDENT_LOADED = "<= 80", "<= 40", "<= 96"


def lines_of(row, what, run, figures):
    """figures: (name, figure of a sample, how to choose, goal, floor)."""
    for name, figure, choose, goal, floor in figures:
        yield Line(row, what, name, f"{choose(map(figure, run.baseline)):.1f}", f"{choose(map(figure, run.ours)):.1f}",
                   run.ratio(figure, choose), goal, floor, run.disturbed)


# --- pages ---------------------------------------------------------------------------------


def page_row(bench, row, what, path, body, headers, goal, floor):
    with Nginx(page=body) as nginx:
        def baseline():
            return with_cpu(nginx.cpu, lambda: wrk(nginx.url + "/page", bench.seconds, CONNECTIONS, "page"))

        def ours():
            return with_cpu(bench.site.cpu_of_gateway, lambda: wrk(bench.site.url + path, bench.seconds, CONNECTIONS,
                                                                   "page", headers=headers))

        run = interleave(baseline, ours, bench.rounds, cpu)
    return lines_of(row, f"{what}, {len(body) // 1000} kB, against nginx with a file", run, [
        ("CPU us/request, median", cpu, median, goal, ""),
        ("requests/s, best", rate, max, "", floor),
        ("requests/s, median", rate, median, "", ""),
    ])


def p1(bench):
    """A visitor's page is kept; one worker against one worker."""
    path = bench.site.pages[0]
    return page_row(bench, "P1", "topic page, visitor", path, bench.site.warm(path), (), "<= 1.0", ">= 0.3")


def p2(bench):
    path = bench.site.pages[0]
    return page_row(bench, "P2", "topic page, member", path, bench.site.page_of_member(path),
                    (f"Cookie: session={bench.site.cookie}",), "<= 1.5", "")


def p3(bench):
    site, clients = bench.site, 8
    pages = site.pages_file()

    def baseline():
        return with_cpu(site.cpu_of_postgres, lambda: pgbench(
            site.postgres, "bench", "read_topic.sql", bench.seconds, clients, topics=ground.READ_TOPICS))

    def ours():
        return with_cpu(site.cpu, lambda: wrk(site.url, bench.seconds, clients, "pages", pages))

    run = interleave(baseline, ours, bench.rounds, rate)
    return lines_of("P3", "topic page, nothing kept, against pgbench reading it", run, [
        ("pages/s, best", rate, max, ">= 0.6", ""),
        ("pages/s, median", rate, median, "", ""),
        ("CPU us/page of all servers, median", cpu, median, "", ""),
    ])


# --- comments ------------------------------------------------------------------------------


def posting(bench, clients):
    """Comments over the JSON API against the same row by pgbench, as many clients each."""
    site = bench.site
    authors = site.authors_file()

    def baseline():
        return with_cpu(site.cpu_of_postgres, lambda: pgbench(
            site.postgres, "bench", "post_comment.sql", bench.seconds, clients, topics=len(site.quiet_topics)))

    def ours():
        before = site.comments()
        sample = with_cpu(site.cpu, lambda: wrk(site.url, bench.seconds, clients, "comments", authors))
        if site.comments() - before < sample.count:
            raise RuntimeError(f"{sample.count} comments were acknowledged, {site.comments() - before} are there")
        bench.settle()
        return sample

    return interleave(baseline, ours, bench.rounds, rate, prepare=site.remember_sessions)


def p4(bench):
    run = posting(bench, 32)
    return lines_of("P4", "durable comments, 32 clients, against pgbench's one statement", run, [
        ("comments/s, best", rate, max, ">= 1.5", ">= 0.3"),
        ("comments/s, median", rate, median, "", ""),
        ("CPU us/comment of all servers, median", cpu, median, "", ""),
    ])


def p5(bench):
    run = posting(bench, 1)
    return lines_of("P5", "single comment, against pgbench with one client", run, [
        ("latency us, median", latency, median, "<= 2.5", ""),
        ("latency us, best", latency, min, "", ""),
    ])


# --- calls between daemons -------------------------------------------------------------------


def p6(bench):
    """Its own program takes turns; each line it prints is one turn of one side."""
    for _ in range(measure.TRIES):
        text = subprocess.run([BUILD / "bench" / "bench_rpc", str(bench.rounds), str(bench.seconds)],
                              capture_output=True, text=True).stdout
        sides = {"bare": [], "ours": []}
        for side, calls, client, server in re.findall(
                r"^(bare|ours) +(\d+) calls/s +client +([\d.]+) us +server +([\d.]+) us", text, re.M):
            sides[side].append(Sample(int(calls), 1, (float(client) + float(server)) * int(calls) / 1e6))
        run = measure.Run(sides["bare"], sides["ours"], measure.apart(sides["bare"], rate))
        if not run.disturbed:
            break
    return lines_of("P6", "calls of 200 bytes, 256 outstanding, against bare nanomsg", run, [
        ("CPU us/call of both sides, median", cpu, median, "", ""),
        ("calls/s, best", rate, max, ">= 0.9", ""),
        ("calls/s, median", rate, median, "", ""),
    ])


# --- memory and starting -----------------------------------------------------------------------


def megabytes(size):
    return size / 1e6


def p8(bench):
    """A site of its own, that nobody has visited; then pages, misses and comments at the same time."""
    with Ground() as site:
        idle, shared = megabytes(site.resident()), megabytes(site.resident("Pss"))
        each = ", ".join(f"{daemon.name} {megabytes(measure.resident_bytes(daemon.process.pid)):.1f}"
                         for daemon in site.daemons)
        authors, pages = site.authors_file(), site.pages_file()
        loads = [threading.Thread(target=wrk, args=(site.url, 2 * bench.seconds, 16, *what))
                 for what in (("comments", authors), ("pages", pages))]
        for load in loads:
            load.start()
        most = 0
        while any(load.is_alive() for load in loads):
            most = max(most, site.resident() - site.kept_pages())
            time.sleep(0.1)
    return [Line("P8", "resident memory of the six daemons, idle", "MB", "", f"{idle:.1f}", idle, RESIDENT_GOAL,
                 RESIDENT_FLOOR, note=each),
            Line("P8", "the same, what they share counted once", "MB", "", f"{shared:.1f}", shared),
            Line("P8", "resident under load, without the kept pages", "MB, most", "", f"{megabytes(most):.1f}",
                 megabytes(most), RESIDENT_LOADED)]


def status(address, path):
    connection = http.client.HTTPConnection(address, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()


def seconds_until(check, limit=60):
    started = time.monotonic()
    while not check():
        if time.monotonic() - started > limit:
            raise RuntimeError("it does not become ready")
        time.sleep(0.005)
    return time.monotonic() - started


def p9(bench):
    site = bench.site
    address = site.url.removeprefix("http://")
    taken = []
    for _ in range(bench.rounds):
        site.stop_daemons()
        site.start_daemons()
        taken.append(seconds_until(lambda: status(address, site.pages[0]) == 200))
    site.wait_ready()
    return [Line("P9", "exec of the six daemons to the first topic page, database up", "seconds, best", "",
                 f"{min(taken):.2f}", min(taken), "<= 0.3"),
            Line("P9", "the same", "seconds, median", "", f"{median(taken):.2f}", median(taken))]


def start_site(folder, settings):
    """What `make run` does, in a folder of its own; returns the seconds until it says that it is ready."""
    make = folder / "make"
    same = os.environ.get("BUILD", "build")  # as the flags were noted, or everything would be compiled again
    make.write_text(f'#!/bin/sh\nexec make -C {ROOT} BUILD={same} "$@"\n', encoding="utf-8")
    make.chmod(0o755)
    started = time.monotonic()
    subprocess.run(["sh", ROOT / "deploy" / "install.sh", "build", "run"], check=True)
    site = subprocess.Popen([sys.executable, ROOT / "deploy" / "local" / "run.py", "--build", BUILD, "--make", make],
                            cwd=folder, env={**os.environ, **settings}, stdout=subprocess.PIPE, text=True)
    said = ""
    for said in site.stdout:
        if said.startswith("Causerie is ready"):
            break
    taken = time.monotonic() - started
    site.send_signal(signal.SIGTERM)
    site.stdout.read()
    if site.wait() != 0 or not said.startswith("Causerie is ready"):
        raise RuntimeError(f"make run failed: {said}")
    return taken


def make_run(bench):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="causerie-run-"))
    settings = {"CAUSERIE_HTTP_LISTEN": f"127.0.0.1:{free_port()}",
                "CAUSERIE_SMTP_URL": f"smtp://127.0.0.1:{free_port()}"}
    folder.chmod(0o755)  # PostgreSQL runs as another user than root
    try:
        first = start_site(folder, settings)
        again = min(start_site(folder, settings) for _ in range(3))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return [Line("run", "make run, everything built: a new folder, with the demo site loaded", "seconds", "",
                 f"{first:.1f}", first, "", "<= 5"),
            Line("run", "make run again", "seconds, best of 3", "", f"{again:.1f}", again, "", "<= 5")]


# --- under strain ------------------------------------------------------------------------------


def paced(url, path, cookie, seconds, pause=0.005):
    """A page every few milliseconds, over one connection; the answer times are what a reader sees."""
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=10)
    times, end = [], time.monotonic() + seconds
    while time.monotonic() < end:
        started = time.monotonic()
        connection.request("GET", path, headers={"Cookie": f"session={cookie}"})
        answer = connection.getresponse()
        answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{path}: {answer.status}")
        times.append(time.monotonic() - started)
        time.sleep(max(0, pause - times[-1]))
    connection.close()
    return Sample(len(times), seconds, p99_us=sorted(times)[int(len(times) * 0.99)] * 1e6)


@contextlib.contextmanager
def signing_in(site):
    """Eight people who sign in, again and again, with the right password."""
    over = threading.Event()
    people = [email for email, _, _ in ground.demo.known_accounts()]

    def sign_in(number):
        while not over.is_set():
            site.sign_in(people[number % len(people)], ground.demo.PASSWORD)

    threads = [threading.Thread(target=sign_in, args=(number,)) for number in range(SIGN_INS)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()


def p10(bench):
    site = bench.site

    def baseline():
        return paced(site.url, site.pages[0], site.cookie, bench.seconds)

    def ours():
        with signing_in(site):
            return baseline()

    run = interleave(baseline, ours, bench.rounds, p99)
    return lines_of("P10", f"member's page during {SIGN_INS} parallel sign-ins, against without", run, [
        ("p99 us, median", p99, median, "<= 1.5", ""),
        ("p99 us, best", p99, min, "", ""),
    ])


def p11(bench):
    with Ground(topics=10000) as large:
        def load(site, pages):
            return with_cpu(site.cpu, lambda: wrk(site.url, bench.seconds, 8, "pages", pages))

        small_pages, large_pages = bench.site.pages_file(), large.pages_file()
        pages = interleave(lambda: load(bench.site, small_pages), lambda: load(large, large_pages), bench.rounds, cpu)
        small_list, large_list = bench.site.pages_file("/sujets"), large.pages_file("/sujets")
        lists = interleave(lambda: load(bench.site, small_list), lambda: load(large, large_list), bench.rounds, cpu)
    figures = [("CPU us/page of all servers, median", cpu, median, "<= 1.2", "")]
    return [*lines_of("P11", "topic page, nothing kept: 10,000 topics against 155", pages, figures),
            *lines_of("P11", "list, nothing kept: 10,000 topics against 155", lists, figures)]


# --- the recommender ---------------------------------------------------------------------------


def figures_of(text, name):
    """The numbers of the line that begins with this name."""
    line = re.search(rf"^{name} (.*)$", text, re.M).group(1)
    return [float(number) for number in re.findall(r"(?<![\w.])\d+(?:\.\d+)?", line)]


def related_rows(topics, kind, fast):
    """related_bench asks itself and Xapian about the same topics, in one run."""
    text = subprocess.run([BUILD / "bench" / "related_bench", str(topics), kind, "xapian"], capture_output=True,
                          text=True, check=True).stdout
    (ours, ours99), (peer, peer99) = figures_of(text, "answer p50 / p99")[:2], figures_of(text, "xapian p50 / p99")[:2]
    built, peer_built = figures_of(text, "build")[0], figures_of(text, "xapian build")[0]
    quiet, changing = figures_of(text, "quiet +p50 / p99")[1], figures_of(text, "changing p50 / p99")[1]
    slice_max, visible = figures_of(text, "slice +p99 / max")[1], figures_of(text, "visible +p50 / max")[1]
    per_topic, restart = figures_of(text, "memory")[1], figures_of(text, "restart")[0]
    replayed = figures_of(text, "replay")[0]
    what = f"related, {topics:,} topics, {kind}"
    return [
        Line("P12", f"{what}: times as fast as Xapian", "ms, p50", f"{peer:.2f}", f"{ours:.3f}", peer / ours, *fast),
        Line("P12", f"{what}: times as fast as Xapian", "ms, p99", f"{peer99:.2f}", f"{ours99:.3f}", peer99 / ours99),
        Line("P12", f"{what}: building, times as fast", "CPU seconds", f"{peer_built:.1f}", f"{built:.1f}",
             peer_built / built, ">= 12", ">= 8"),
        Line("P12", f"{what}: memory", "bytes/topic", "", f"{per_topic:.0f}", per_topic, "<= 600", "<= 800"),
        Line("P12", f"{what}: 1,000 events/s, against quiet", "ms, p99", f"{quiet:.3f}", f"{changing:.3f}",
             changing / quiet, "<= 1.3", "<= 2"),
        Line("P12", f"{what}: longest slice of a merge", "ms, max", "", f"{slice_max:.2f}", slice_max, "<= 5"),
        Line("P12", f"{what}: from event to answer", "ms, max", "", f"{visible:.1f}", visible, "<= 50", "<= 1000"),
        Line("P12", f"{what}: replay", "topic events/s", "", f"{replayed:.0f}", replayed, ">= 20000"),
        Line("P12", f"{what}: restart to first answer", "CPU seconds", "", f"{restart:.2f}", restart),
    ]


def p12(bench):
    return [*related_rows(167000, "short", (">= 100", ">= 60")),
            *related_rows(bench.related, "replies", (">= 80", ">= 50"))]


ROWS = {"P1": p1, "P2": p2, "P3": p3, "P4": p4, "P5": p5, "P6": p6, "P8": p8, "P9": p9, "P10": p10, "P11": p11,
        "P12": p12, "run": make_run}
WITHOUT_SITE = {"P6", "P8", "P12", "run"}


class Bench:
    def __init__(self, rounds, seconds, related):
        self.rounds = rounds
        self.seconds = seconds
        self.related = related
        self.site = None

    def settle(self):
        """What comments lead to in other daemons is not the baseline's burden."""
        quiet = 0
        while quiet < 2:
            before = self.site.cpu()
            time.sleep(0.25)
            quiet = quiet + 1 if self.site.cpu() - before < 0.05 else 0

    def measure(self, names):
        with contextlib.ExitStack() as stack:
            if set(names) - WITHOUT_SITE:
                self.site = stack.enter_context(Ground())
                self.site.make_bench_database()
            for name in names:
                print(f"{name} …", flush=True)
                try:
                    yield from ROWS[name](self)
                except Exception as error:  # the other rows are still worth their time
                    yield Line(name, "", "all", "", "", math.nan, note=repr(error), failed=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", action="append", choices=ROWS, default=[])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=2)
    parser.add_argument("--related", type=int, default=250000, help="topics with replies in P12")
    asked = parser.parse_args()
    lines = []
    for line in Bench(asked.rounds, asked.seconds, asked.related).measure(asked.only or ROWS):
        lines.append(line)
        (BUILD / "bench.md").write_text(render(lines) + "\n" + summary(lines), encoding="utf-8")
    print("\n" + (BUILD / "bench.md").read_text(encoding="utf-8"), end="")


main()
