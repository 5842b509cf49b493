#!/usr/bin/python3
"""seed.py FOLDER - the first inputs of each fuzzer: the HTTP cases of the unit test, and empty messages."""
import pathlib
import sys

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TESTS / "integration"))

from http_cases import CASES  # noqa: E402: found by the line above

MESSAGES = 8  # kinds that fuzz_scan.c tells apart by the first byte


def write(folder, seeds):
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in seeds:
        (folder / name).write_bytes(data)


def main():
    corpus = pathlib.Path(sys.argv[1])
    write(corpus / "fuzz_http", ((case.name, case.bytes) for case in CASES if len(case.bytes) <= 2048))
    write(corpus / "fuzz_scan", ((f"kind{kind}", bytes([kind]) + b"\x08\x01\x12\x01a") for kind in range(MESSAGES)))


main()
