"""What the compiler and linker were told shows in every daemon's file."""
import os
import pathlib
import re
import subprocess

import pytest

from harness.deployment import BUILD, DAEMONS, ROOT

SANITIZED = pathlib.Path(os.environ.get("BUILD", "build")).name == "sanitize"


def readelf(name, *options):
    return subprocess.run(["readelf", "--wide", *options, BUILD / f"causerie-{name}"], capture_output=True, text=True,
                          check=True).stdout


@pytest.mark.parametrize("name", DAEMONS)
def test_a_daemon_is_hardened(name):
    assert re.search(r"Type:\s+DYN \(Position-Independent Executable", readelf(name, "--file-header"))
    assert re.search(r"FLAGS_1.*\bNOW\b.*\bPIE\b", readelf(name, "--dynamic"))
    segments = readelf(name, "--segments")
    assert "GNU_RELRO" in segments
    assert re.search(r"GNU_STACK.* RW ", segments), "the stack can be executed"
    symbols = readelf(name, "--dyn-syms")
    assert "__stack_chk_fail" in symbols
    if SANITIZED:
        assert "__asan_init" in symbols + readelf(name, "--syms")
    else:
        assert re.search(r"__(mem|str|s?n?printf|vsnprintf)\w*_chk\b", symbols), "_FORTIFY_SOURCE has no effect"


def test_the_demo_site_keeps_its_own_rules():
    """Lengths, known expertises, threads in their order, links that lead somewhere: deploy/demo/README.md."""
    done = subprocess.run(["/usr/bin/python3", ROOT / "deploy/demo/check.py"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
