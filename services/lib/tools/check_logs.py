#!/usr/bin/python3
"""check_logs.py SOURCE.c … - holds log lines to the form that log.c asserts while running.

A format is a list of name=conversion separated by single spaces; a rare error must not find
out at night that its line is written wrongly.
"""

import re
import sys
from pathlib import Path

PIECE = r'(?:"(?:[^"\\]|\\.)*"|PRI[a-z]\w+)'
CALL = re.compile(rf"\blog_(?:debug|info|warn|error)\([^;\"]*?,\s*[^,;]+?,\s*({PIECE}(?:\s*{PIECE})*)\s*[,)]")
FIELD = re.compile(r"[a-z][a-z0-9_]*=%(?:s|(?:l|ll|z)?[diu]|(?:\.\d+)?f)$")


def format_of(pieces):
    """The format as the compiler joins it, with each PRI macro as the conversion it stands for."""
    text = re.sub(r"PRI([a-z])\w+", lambda macro: '"l' + macro.group(1) + '"', pieces)
    return re.sub(r'"\s*"', "", text).strip()[1:-1]


def problems(path):
    source = path.read_text(encoding="utf-8")
    for call in CALL.finditer(source):
        form = format_of(call.group(1))
        if form and not all(FIELD.match(field) for field in form.split(" ")):
            line = source.count("\n", 0, call.start()) + 1
            yield f'{path}:{line}: "{form}" is not name=conversion …'


found = [problem for source in sys.argv[1:] for problem in problems(Path(source))]
print("\n".join(found), end="\n" if found else "")
sys.exit(bool(found))
