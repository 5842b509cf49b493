"""README.md names what there is: every setting of every daemon, every file and folder it speaks of."""
import os
import pathlib
import re
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / os.environ.get("BUILD", "build")
README = (ROOT / "README.md").read_text(encoding="utf-8")
DAEMONS = sorted(path.parent.name for path in ROOT.glob("services/*/main.c"))


def listed(daemon):
    """The settings of one daemon's --help, with their defaults."""
    shown = subprocess.run([BUILD / f"causerie-{daemon}", "--help"], capture_output=True, text=True, check=True).stdout
    return re.findall(r"^  (CAUSERIE_\w+)=(\S*)", shown, re.MULTILINE)


def settings():
    """Those of all daemons, with <NAME> for what follows from a daemon's own."""
    names = [one for name in DAEMONS for one in listed(name)]
    own = "|".join(DAEMONS).upper()
    ending = "DATABASE_URL|LISTEN|PEERS|ADMIN_LISTEN"
    return {re.sub(rf"^CAUSERIE_({own})_({ending})$", r"CAUSERIE_<NAME>_\2", name): value for name, value in names}


@pytest.mark.parametrize("daemon", DAEMONS)
def test_no_setting_is_listed_twice(daemon):
    names = [name for name, _ in listed(daemon)]
    assert len(names) > 10 and sorted(set(names)) == sorted(names)


@pytest.mark.parametrize("daemon", DAEMONS)
def test_nobody_is_asked_where_a_daemon_is_that_answers_no_calls(daemon):
    asked = {name.removesuffix("_PEERS").removeprefix("CAUSERIE_").lower() for name, _ in listed(daemon) if name.endswith("_PEERS")}
    answering = {name for name in DAEMONS if f"CAUSERIE_{name.upper()}_LISTEN" in dict(listed(name))}
    assert asked == answering < set(DAEMONS)


@pytest.mark.parametrize("name", ["CAUSERIE_GATEWAY_PEERS", "CAUSERIE_GATEWAY_LISTEN", "CAUSERIE_RELATED_DATABASE_URL"])
def test_a_setting_without_a_user_is_refused(name):
    checked = subprocess.run([BUILD / "causerie-gateway", "--check"], capture_output=True, text=True, env={name: "x"})
    assert checked.returncode == 1 and name in checked.stdout + checked.stderr


def test_every_setting_is_in_the_table_and_nothing_else():
    table = README[README.index("| setting |"):README.index("## In production")]
    assert set(re.findall(r"`(CAUSERIE_[A-Z_<>]+)`", table)) == set(settings())


def test_defaults_in_the_table_are_the_daemons():
    known = settings()
    for line in README.splitlines():
        cells = [cell.strip() for cell in line.split("|")]
        names = re.findall(r"`(CAUSERIE_[A-Z_<>]+)`", cells[1]) if len(cells) == 5 else []
        said = re.findall(r"`([^`]+)`", cells[2].split("(")[0]) if names else []
        for name, value in zip(names, said):
            if "<NAME>" not in name and name != "CAUSERIE_REDIS_URL":
                assert known[name] == value, name


def test_the_folders_it_names_are_there():
    for path in re.findall(r"`((?:deploy|services|proto|tests)/[\w./]*)`", README):
        assert (ROOT / path).exists(), path
