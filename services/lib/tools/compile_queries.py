#!/usr/bin/python3
"""
Compiles a service's queries.sql to C: one struct sql_query (lib/sql.h) a statement.

    -- name: get_topic
    -- Comments stand anywhere and do not reach the server.
    SELECT id, title FROM topics WHERE id = :topic_id::bigint

A `:name` is a parameter, `::type` a cast; strings, quoted names and dollar quotes are left as
they are. The array <folder>_queries lists every statement, for preparing. Two more lines:

    -- group: outbox           the statements that follow are listed in outbox_queries instead
    -- with: outbox, consumer  these groups of lib/queries.sql are listed in this folder's array, too

Usage: compile_queries.py IN.sql OUT.c OUT.h
"""
import pathlib
import re
import sys

NAME = re.compile(r"[a-z][a-z0-9_]*\Z")
DIRECTIVE = re.compile(r"--\s*(name|group|with):\s*(.*?)\s*\Z")
TOKEN = re.compile(r"""
      (?P<comment>--[^\n]*)
    | (?P<block>/\*)
    | (?P<escaped>\b[eE]'(?:[^'\\]|\\.|'')*')
    | (?P<string>'(?:[^']|'')*')
    | (?P<quoted>"(?:[^"]|"")*")
    | (?P<dollar>\$(?P<tag>[A-Za-z_][A-Za-z0-9_]*)?\$.*?\$(?(tag)(?P=tag))\$)
    | (?P<position>\$[0-9]+)
    | (?P<cast>::|:=)
    | :(?P<parameter>[A-Za-z_][A-Za-z0-9_]*)
    | (?P<space>\s+)
    | (?P<word>[A-Za-z_][A-Za-z0-9_$]*)
    | (?P<end>;)
    | (?P<unclosed>['"])
    | (?P<other>.)
""", re.VERBOSE | re.DOTALL)


class Problem(Exception):
    """Something wrong in the source, with its line."""


class Statement:
    def __init__(self, name, group, line):
        self.name, self.group, self.line = name, group, line
        self.source = ""


def split(text):
    """Cuts a file at its name lines; returns the statements and the lib groups it names."""
    statements, borrowed, group = [], [], ""
    for number, line in enumerate(text.split("\n"), 1):
        directive = DIRECTIVE.match(line)
        if directive is None:
            if statements:
                statements[-1].source += line + "\n"
            elif line.strip() and not line.lstrip().startswith("--"):
                raise Problem(f"line {number}: a statement without a name line")
            continue
        kind, value = directive.groups()
        names = re.split(r"\s*,\s*", value) if kind == "with" else [value]
        for name in names:
            if not NAME.match(name):
                raise Problem(f"line {number}: {name!r} is not a name")
        if kind == "group":
            group = value
        elif kind == "with":
            borrowed += names
        else:
            if any(other.name == value for other in statements):
                raise Problem(f"line {number}: there is already a statement {value}")
            statements.append(Statement(value, group, number))
    return statements, borrowed


def skip_block(source, start):
    """The end of a /* comment */, which may hold others."""
    depth, at = 1, start
    while depth > 0:
        mark = re.compile(r"/\*|\*/").search(source, at)
        if mark is None:
            raise Problem("a /* comment is not closed")
        depth += 1 if mark.group() == "/*" else -1
        at = mark.end()
    return at


def compile_statement(statement):
    """Sets text (with $1, $2 …), parameters and writes."""
    parts, parameters, words, at, ended = [], [], [], 0, False
    while at < len(statement.source):
        token = TOKEN.match(statement.source, at)
        at = token.end()
        kind, text = token.lastgroup, token.group()
        if kind == "tag":
            kind = "dollar"
        if kind == "block":
            at = skip_block(statement.source, at)
        if kind in ("comment", "block", "space"):
            parts.append(" ")
            continue
        if ended:
            raise Problem("something follows the semicolon; one statement a name")
        if kind == "end":
            ended = True
        elif kind == "position":
            raise Problem(f"{text}: parameters have names (:name)")
        elif kind == "unclosed":
            raise Problem(f"a {text} is not closed")
        elif kind == "parameter":
            name = token["parameter"]
            if not NAME.match(name):
                raise Problem(f":{name}: parameters are in lower case")
            if name not in parameters:
                parameters.append(name)
            parts.append(f"${parameters.index(name) + 1}")
        else:
            if kind == "word":
                words.append(text.upper())
            parts.append(text)
    # Blanks are joined token by token, because those inside quotes must stay.
    joined = [part for i, part in enumerate(parts) if part != " " or (i and parts[i - 1] != " ")]
    statement.text = "".join(joined).strip()
    statement.parameters = parameters
    statement.writes = writes(words)
    if not statement.text:
        raise Problem("no statement follows")


def writes(words):
    """Whether it changes data: a keyword that does, save in FOR UPDATE and FOR NO KEY UPDATE."""
    if not words or words[0] not in ("WITH", "INSERT", "UPDATE", "DELETE", "MERGE"):
        return False
    return any(word in ("INSERT", "UPDATE", "DELETE", "MERGE") and before not in ("FOR", "KEY")
               for before, word in zip([""] + words, words))


def read(path):
    statements, borrowed = split(path.read_text("utf-8"))
    for statement in statements:
        try:
            compile_statement(statement)
        except Problem as problem:
            raise Problem(f"line {statement.line}: {statement.name}: {problem}") from None
    return statements, borrowed


def borrow(path, groups, own):
    """Names of the lib statements that the groups hold."""
    if not groups:
        return []
    lib = path.resolve().parents[1] / "lib" / path.name
    statements, _ = read(lib)
    names = []
    for group in groups:
        found = [statement.name for statement in statements if statement.group == group]
        if not found:
            raise Problem(f"with: {lib.name} of lib has no group {group}")
        names += found
    for name in names:
        if name in own:
            raise Problem(f"{name} is the name of a statement of lib, too")
    return names


def c_string(text):
    """A C literal of any text; bytes beyond ASCII and trigraphs are escaped."""
    out = []
    for byte in text.encode("utf-8"):
        char = chr(byte)
        if char in '"\\?':
            out.append("\\" + char)
        elif 32 <= byte < 127:
            out.append(char)
        else:
            out.append(f"\\{byte:03o}")
    return '"' + "".join(out) + '"'


def arrays(folder, statements, borrowed):
    """Name of each array -> names of its statements."""
    listed = {}
    for statement in statements:
        listed.setdefault(statement.group or folder, []).append(statement.name)
    if borrowed:
        listed.setdefault(folder, []).extend(borrowed)
    return listed


def header(folder, listed):
    guard = f"{folder.upper()}_QUERIES_H"
    lines = [f"/* Made from {folder}/queries.sql by compile_queries.py. */",
             f"#ifndef {guard}", f"#define {guard}", "", '#include "lib/sql.h"', ""]
    for group, names in listed.items():
        lines += [f"extern const struct sql_query {name}_sql;" for name in names]
        lines += [f"extern const struct sql_query *const {group}_queries[]; /* ends with NULL */"]
    return "\n".join(lines + ["", "#endif", ""])


def source(folder, own_header, statements, listed):
    lines = [f"/* Made from {folder}/queries.sql by compile_queries.py. */",
             f'#include "{own_header}"', ""]
    for statement in statements:
        parameters = "NULL"
        if statement.parameters:
            parameters = f"{statement.name}_parameters"
            names = ", ".join(c_string(name) for name in statement.parameters)
            lines.append(f"static const char *const {parameters}[] = {{{names}}};")
        lines += [f"const struct sql_query {statement.name}_sql = {{",
                  f"\t.name = {c_string(statement.name)},",
                  f"\t.text = {c_string(statement.text)},",
                  f"\t.parameters = {parameters},",
                  f"\t.n_parameters = {len(statement.parameters)},",
                  f"\t.writes = {'true' if statement.writes else 'false'},", "};", ""]
    for group, names in listed.items():
        members = "".join(f"\t&{name}_sql,\n" for name in names)
        lines.append(f"const struct sql_query *const {group}_queries[] = {{\n{members}\tNULL,\n}};")
    return "\n".join(lines + [""])


def main():
    if len(sys.argv) != 4:
        sys.exit("usage: compile_queries.py IN.sql OUT.c OUT.h")
    path, out_c, out_h = map(pathlib.Path, sys.argv[1:])
    folder = path.resolve().parent.name
    try:
        statements, groups = read(path)
        borrowed = borrow(path, groups, {statement.name for statement in statements})
    except Problem as problem:
        sys.exit(f"{path}: {problem}")
    listed = arrays(folder, statements, borrowed)
    out_h.write_text(header(folder, listed), "utf-8")
    out_c.write_text(source(folder, out_h.name, statements, listed), "utf-8")


if __name__ == "__main__":
    main()
