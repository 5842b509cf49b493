"""README.md names what there is: every setting of every daemon, every file and folder it speaks of."""
import os
import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / os.environ.get("BUILD", "build")
README = (ROOT / "README.md").read_text(encoding="utf-8")
DAEMONS = sorted(path.parent.name for path in ROOT.glob("services/*/main.c"))


def settings():
    """Those of all daemons, with <NAME> for what follows from a daemon's own."""
    shown = "".join(subprocess.run([BUILD / f"causerie-{name}", "--help"], capture_output=True, text=True,
                                   check=True).stdout for name in DAEMONS)
    names = re.findall(r"^  (CAUSERIE_\w+)=(\S*)", shown, re.MULTILINE)
    own = "|".join(DAEMONS).upper()
    ending = "DATABASE_URL|LISTEN|PEERS|ADMIN_LISTEN"
    return {re.sub(rf"^CAUSERIE_({own})_({ending})$", r"CAUSERIE_<NAME>_\2", name): value for name, value in names}


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
