#!/usr/bin/python3
"""run.py FOLDER [--only WORD] PROGRAM … - runs unit tests and counts what cmocka reports.

Prints the output of programs that failed, and one line "N passed, N failed" at the end. A
program that crashes, hangs or says nothing counts as one failure.
"""

import argparse
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

PASSED = re.compile(r"\[  PASSED  \] (\d+) test")
FAILED = re.compile(r"\[  FAILED  \] (\d+) test")
SECONDS = int(os.environ.get("UNIT_TEST_SECONDS", "180"))


def run(program):
    try:
        done = subprocess.run([program], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=SECONDS,
                              stdin=subprocess.DEVNULL)
        code, output = done.returncode, done.stdout
    except subprocess.TimeoutExpired as late:
        code, output = 1, (late.stdout or b"") + f"\nended after {SECONDS} s\n".encode()
    text = output.decode("utf-8", "replace")
    passed = sum(int(n) for n in PASSED.findall(text))
    failed = sum(int(n) for n in FAILED.findall(text))
    if not failed and (code != 0 or not passed):
        failed = 1
    return program, passed, failed, text


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("--only", action="append", default=[])
    parser.add_argument("programs", nargs="*")
    asked = parser.parse_intermixed_args()
    programs = [p for p in asked.programs if not asked.only or any(word in p for word in asked.only)]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        results = list(pool.map(run, programs))
    for program, passed, failed, text in results:
        name = os.path.relpath(program, asked.folder)
        print(f"{name:<44} {passed:>4} passed" + (f", {failed} failed" if failed else ""))
        if failed:
            print(text)
    failures = sum(failed for _, _, failed, _ in results)
    print(f"{sum(passed for _, passed, _, _ in results)} passed, {failures} failed")
    sys.exit(bool(failures))


main()
