#!/usr/bin/python3
"""run_tidy.py SOURCE.c … -- FLAG … - clang-tidy over all sources, as many at once as there are cores.

A service's sources see its own generated headers, which lie beside the common ones.
"""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path


def private_flags(source, flags):
    gen = flags[flags.index("-isystem") + 1]
    return ["-isystem", f"{gen}/{Path(source).parts[1]}"]


def tidy(source, flags):
    command = ["clang-tidy", "--quiet", source, "--", *flags, *private_flags(source, flags)]
    done = subprocess.run(command, capture_output=True, text=True)
    return done.returncode, done.stdout


def main():
    split = sys.argv.index("--")
    sources, flags = sys.argv[1:split], sys.argv[split + 1:]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        results = list(pool.map(lambda source: tidy(source, flags), sources))
    sys.stdout.write("".join(text for _, text in results))
    sys.exit(any(code for code, _ in results))


main()
