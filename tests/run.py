#!/usr/bin/python3
"""run.py --build FOLDER [--only WORD] [--without KIND] - runs every test and counts.

Unit tests (cmocka) first, then the tests that need servers (pytest: browser, fault, integration), a file at a
time in one process more than there are processors, since they wait half of the time. The last line is "N passed,
N failed"; the status is 0 when nothing failed and something passed.
"""
import argparse
import os
import pathlib
import re
import subprocess
import sys
import xml.etree.ElementTree as xml

TESTS = pathlib.Path(__file__).resolve().parent
ROOT = TESTS.parent
KINDS = ("browser", "fault", "integration")  # the longest files first
COUNTS = re.compile(r"(\d+) passed, (\d+) failed$", re.M)


def unit_programs(build, only):
    sources = sorted(TESTS.glob("unit/*/test_*.c"))
    programs = [build / "unit" / source.parent.name / source.stem for source in sources]
    return [str(program) for program in programs if not only or any(word in str(program) for word in only)]


def run_unit(build, only):
    programs = unit_programs(build, only)
    if not programs:
        return 0, 0
    done = subprocess.run([sys.executable, TESTS / "unit" / "run.py", build / "unit", *programs],
                          stdout=subprocess.PIPE, text=True)
    print(done.stdout, end="", flush=True)
    found = COUNTS.findall(done.stdout)
    return (int(found[-1][0]), int(found[-1][1])) if found else (0, 1)


def run_pytest(build, kinds, only):
    report = build / "pytest.xml"
    report.unlink(missing_ok=True)
    folders = [str(TESTS / kind) for kind in kinds if any((TESTS / kind).glob("test_*.py"))]
    if not folders:
        return 0, 0
    words = ["-k", " or ".join(only)] if only else []
    status = subprocess.run([sys.executable, "-m", "pytest", "-q", "-c", TESTS / "pytest.ini", "--rootdir", TESTS,
                             f"--junitxml={report}", "-p", "no:cacheprovider", "--timeout=300",
                             "-n", str(os.cpu_count() + 1), "--dist", "loadfile", *words, *folders],
                            env=os.environ | {"BUILD": str(build)}, cwd=TESTS).returncode
    if status == 5 and only:
        return 0, 0
    if not report.exists():
        return 0, 1
    suites = list(xml.parse(report).getroot().iter("testsuite"))
    count = {name: sum(int(suite.get(name)) for suite in suites) for name in ("tests", "failures", "errors", "skipped")}
    failed = count["failures"] + count["errors"] + count["skipped"]  # a test that did not run proves nothing
    if status not in (0, 1) or (status == 1 and failed == 0):
        failed += 1
    return count["tests"] - failed, failed


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build")
    parser.add_argument("--only", action="append", default=[])
    parser.add_argument("--without", action="append", default=[], choices=("unit",) + KINDS)
    asked = parser.parse_args()
    build = asked.build if asked.build.is_absolute() else ROOT / asked.build
    unit = (0, 0) if "unit" in asked.without else run_unit(build, asked.only)
    rest = run_pytest(build, [kind for kind in KINDS if kind not in asked.without], asked.only)
    passed, failed = unit[0] + rest[0], unit[1] + rest[1]
    print(f"{passed} passed, {failed} failed")
    sys.exit(0 if passed and not failed else 1)


main()
