"""What compile_queries.py and compile_migrations.py read, and what they refuse."""
import pathlib
import re
import subprocess
import sys

import pytest

TOOLS = pathlib.Path(__file__).resolve().parents[2] / "services/lib/tools"


class Sources:
    """A folder services/topics beside a services/lib, compiled at will."""

    def __init__(self, folder):
        self.out = folder / "out.c"
        self.header = folder / "out.h"
        self.topics = folder / "topics"
        self.lib = folder / "lib"
        for service in (self.topics, self.lib):
            (service / "migrations").mkdir(parents=True)

    def run(self, tool, *arguments):
        return subprocess.run([sys.executable, "-B", TOOLS / tool, *arguments, self.out, self.header],
                              capture_output=True, text=True)

    def queries(self, text):
        (self.topics / "queries.sql").write_text(text, "utf-8")
        return self.run("compile_queries.py", self.topics / "queries.sql")

    def migrations(self, **files):
        for name, text in files.items():
            (self.topics / "migrations" / name.replace("__", ".")).write_text(text, "utf-8")
        return self.run("compile_migrations.py", self.topics / "migrations", self.lib / "migrations")

    def made(self):
        return self.out.read_text("utf-8")


@pytest.fixture
def sources(tmp_path):
    return Sources(tmp_path)


def text_of(made, name):
    """The statement's text as C's compiler would have it."""
    literal = re.search(rf'\.name = "{name}",\n\t\.text = "(.*)",\n', made)[1]
    unescaped = re.sub(r"\\([0-7]{3}|.)", lambda it: chr(int(it[1], 8)) if len(it[1]) == 3 else it[1], literal)
    return unescaped.encode("latin-1").decode("utf-8")


@pytest.mark.parametrize("sql, expected, names", [
    ("SELECT :b, :a, :b", "SELECT $1, $2, $1", ["b", "a"]),
    ("SELECT :a::bigint, x::text", "SELECT $1::bigint, x::text", ["a"]),
    ("SELECT ':a', 'it''s :a', E'\\':a', \":a\"", "SELECT ':a', 'it''s :a', E'\\':a', \":a\"", []),
    ("SELECT $$ :a ' $$, $t$ $$ :a $t$, :b", "SELECT $$ :a ' $$, $t$ $$ :a $t$, $1", ["b"]),
    ("SELECT 1 -- :a '\n  , 2", "SELECT 1 , 2", []),
    ("SELECT /* :a /* ' */ :b */ 1;", "SELECT 1", []),
    ("SELECT '  two  blanks  '", "SELECT '  two  blanks  '", []),
    ("SELECT f(a := :b), c ? 'k', d[1:2]", "SELECT f(a := $1), c ? 'k', d[1:2]", ["b"]),
    ("SELECT 'é ? \\ \"'", "SELECT 'é ? \\ \"'", []),
])
def test_parameters_are_found_where_they_are_parameters(sources, sql, expected, names):
    assert sources.queries(f"-- name: q\n{sql}\n").returncode == 0
    assert text_of(sources.made(), "q") == expected
    found = re.search(r"q_parameters\[\] = \{(.*)\};", sources.made())
    assert (re.findall(r'"(\w+)"', found[1]) if found else []) == names


@pytest.mark.parametrize("sql, expected", [
    ("SELECT 1 FOR UPDATE", "false"),
    ("WITH a AS (SELECT 1 FOR NO KEY UPDATE) SELECT 1", "false"),
    ("INSERT INTO a VALUES (1)", "true"),
    ("WITH a AS (DELETE FROM b RETURNING 1) SELECT 1", "true"),
    ("SELECT 'DELETE'", "false"),
])
def test_a_statement_that_writes_is_known(sources, sql, expected):
    assert sources.queries(f"-- name: q\n{sql}\n").returncode == 0
    assert f".writes = {expected}" in sources.made()


@pytest.mark.parametrize("text, reason", [
    ("-- name: q\nSELECT 1\n-- name: q\nSELECT 2\n", "line 3: there is already a statement q"),
    ("SELECT 1\n", "line 1: a statement without a name line"),
    ("-- name: q\n-- name: r\nSELECT 1\n", "line 1: q: no statement follows"),
    ("-- name: Q\nSELECT 1\n", "'Q' is not a name"),
    ("-- name: q\nSELECT $1\n", "parameters have names"),
    ("-- name: q\nSELECT 'a\n", "is not closed"),
    ("-- name: q\nSELECT /* a\n", "is not closed"),
    ("-- name: q\nSELECT 1; SELECT 2\n", "one statement a name"),
    ("-- name: q\nSELECT :Name\n", "parameters are in lower case"),
])
def test_what_cannot_be_meant_is_refused(sources, text, reason):
    done = sources.queries(text)
    assert done.returncode != 0
    assert reason in done.stderr


def test_groups_of_lib_are_listed_with_the_service_s_own(sources):
    (sources.lib / "queries.sql").write_text("-- group: outbox\n-- name: a\nSELECT 1\n-- name: b\nSELECT 2\n"
                                             "-- group: other\n-- name: c\nSELECT 3\n", "utf-8")
    assert sources.queries("-- with: outbox\n-- name: q\nSELECT 1\n").returncode == 0
    listed = re.search(r"topics_queries\[\] = \{(.*?)\};", sources.made(), re.DOTALL)[1]
    assert re.findall(r"\w+", listed) == ["q_sql", "a_sql", "b_sql", "NULL"]
    assert "no group nowhere" in sources.queries("-- with: nowhere\n-- name: q\nSELECT 1\n").stderr
    assert "statement of lib, too" in sources.queries("-- with: outbox\n-- name: a\nSELECT 1\n").stderr


def test_migrations_come_in_order_after_those_of_lib(sources):
    (sources.lib / "migrations" / "outbox.sql").write_text("CREATE TABLE outbox ();\n", "utf-8")
    done = sources.migrations(**{"0002_b__sql": "SELECT 2;", "0001_a__sql": "SELECT '\"?é\\';\n",
                                 "lib__list": "# taken\noutbox\n"})
    assert done.returncode == 0, done.stderr
    assert re.findall(r'\{"(\w+)",', sources.made()) == ["lib_outbox", "0001_a", "0002_b"]
    assert "topics_n_migrations = 3;" in sources.made()
    assert r"""SELECT '\"\?\303\251\\';\012""" in sources.made()


@pytest.mark.parametrize("files, reason", [
    ({"1_a__sql": "SELECT 1"}, "NNNN_what.sql"),
    ({"0001_a__sql": "SELECT 1", "0001_b__sql": "SELECT 1"}, "has the same number"),
    ({"0001_a__sql": "SELECT 1;\nCOMMIT;\n"}, "is one transaction"),
    ({"0001_a__sql": "CREATE INDEX CONCURRENTLY i ON t (a)"}, "is one transaction"),
    ({"lib__list": "nothing\n"}, "lib has no migration nothing"),
])
def test_a_migration_that_cannot_be_applied_is_refused(sources, files, reason):
    done = sources.migrations(**files)
    assert done.returncode != 0
    assert reason in done.stderr
