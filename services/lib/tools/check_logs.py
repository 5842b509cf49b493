#!/usr/bin/python3
"""check_logs.py SOURCE.c … - holds log lines to the form that log.c asserts while running.

A format is a list of name=conversion separated by single spaces; a rare error must not find
out at night that its line is written wrongly.
"""

import re
import sys
from pathlib import Path

STRING = r'"((?:[^"\\]|\\.)*)"'
CALL = re.compile(r"\blog_(?:debug|info|warn|error)\((?:[^;\"]*?),\s*([^,;]+?),\s*(" + STRING + r'(?:\s*(?:PRI\w+)?\s*"[^"]*")*|[^)]*?)[,)]')
FIELD = re.compile(r"[a-z][a-z0-9_]*=%(?:s|(?:l|ll|z)?[diu]|(?:\.\d+)?f)$")
PRI = re.compile(r'"\s*PRI[du](?:64|32)\s*"')


def problems(path):
    source = path.read_text(encoding="utf-8")
    for call in CALL.finditer(source):
        text = call.group(2)
        if not text.startswith('"'):
            continue
        form = re.sub(r'"\s*"', "", PRI.sub("lu", text))[1:-1]
        if form and not all(FIELD.match(field) for field in form.split(" ")):
            yield f"{path}:{source.count(chr(10), 0, call.start()) + 1}: \"{form}\" is not name=conversion …"


found = [problem for source in sys.argv[1:] for problem in problems(Path(source))]
print("\n".join(found), end="\n" if found else "")
sys.exit(bool(found))
