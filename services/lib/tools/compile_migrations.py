#!/usr/bin/python3
"""
Compiles a service's migrations to C: an array of struct sql_migration (lib/sql.h).

Migrations are NNNN_what.sql, applied in the order of their numbers, once each. lib has tables
that several services want (outbox, cursors, idempotency); a file lib.list names, one a line,
those that a service takes. They come first.

Usage: compile_migrations.py SERVICE/migrations LIB/migrations OUT.c OUT.h
"""
import pathlib
import re
import sys

from compile_queries import c_string

FILE = re.compile(r"([0-9]{4})_[a-z0-9_]+\.sql\Z")
# Each runs in a transaction that is not its own to end.
FORBIDDEN = re.compile(r"^\s*(BEGIN|COMMIT|ROLLBACK)\s*;|\bCONCURRENTLY\b", re.MULTILINE | re.IGNORECASE)


class Problem(Exception):
    """Something wrong in the migrations."""


def text_of(path):
    text = path.read_text("utf-8")
    wrong = FORBIDDEN.search(re.sub(r"--[^\n]*", "", text))
    if wrong:
        raise Problem(f"{path}: {wrong.group().strip()}: a migration is one transaction, begun by lib")
    return text


def lib_migrations(folder, lib):
    listing = folder / "lib.list"
    if not listing.exists():
        return []
    names = [line.strip() for line in listing.read_text("utf-8").splitlines()]
    names = [name for name in names if name and not name.startswith("#")]
    for name in names:
        if not re.fullmatch(r"[a-z0-9_]+", name) or not (lib / f"{name}.sql").exists():
            raise Problem(f"{listing}: lib has no migration {name}")
    return [(f"lib_{name}", text_of(lib / f"{name}.sql")) for name in names]


def own_migrations(folder):
    found, numbers = [], {}
    for path in sorted(folder.glob("*.sql")):
        match = FILE.match(path.name)
        if not match:
            raise Problem(f"{path}: a migration is named NNNN_what.sql")
        if match[1] in numbers:
            raise Problem(f"{path}: {numbers[match[1]]} has the same number")
        numbers[match[1]] = path.name
        found.append((path.stem, text_of(path)))
    return found


def main():
    if len(sys.argv) != 5:
        sys.exit("usage: compile_migrations.py SERVICE/migrations LIB/migrations OUT.c OUT.h")
    folder, lib, out_c, out_h = map(pathlib.Path, sys.argv[1:])
    service = folder.resolve().parent.name
    try:
        migrations = lib_migrations(folder, lib) + own_migrations(folder)
    except Problem as problem:
        sys.exit(str(problem))

    guard = f"{service.upper()}_MIGRATIONS_H"
    made = f"/* Made from {service}/migrations by compile_migrations.py. */\n"
    out_h.write_text(f'{made}#ifndef {guard}\n#define {guard}\n\n#include "lib/sql.h"\n\n'
                     f"extern const struct sql_migration {service}_migrations[];\n"
                     f"extern const size_t {service}_n_migrations;\n\n#endif\n", "utf-8")
    rows = "".join("\t{%s,\n%s},\n" % (c_string(name), "\n".join(
        "\t " + c_string(line) for line in text.splitlines(keepends=True)) or '""')
        for name, text in migrations)
    out_c.write_text(f'{made}#include "{out_h.name}"\n\n'
                     f"const struct sql_migration {service}_migrations[] = {{\n{rows}\t{{NULL, NULL}},\n}};\n"
                     f"const size_t {service}_n_migrations = {len(migrations)};\n", "utf-8")


if __name__ == "__main__":
    main()
