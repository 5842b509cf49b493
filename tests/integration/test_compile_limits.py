"""The grammar of limits in .proto comments: what compile_limits.py makes of each bracket."""
import pathlib
import re
import subprocess
import sys

import pytest

COMPILER = pathlib.Path(__file__).parents[2] / "services/lib/tools/compile_limits.py"
NONE = "4294967295u"


def compile_text(folder, text):
    source, made = folder / "test.proto", folder / "limits.c"
    source.write_text('syntax = "proto3";\npackage test;\n' + text, encoding="utf-8")
    done = subprocess.run([sys.executable, COMPILER, made, source], capture_output=True, text=True)
    return done, made.read_text(encoding="utf-8") if made.exists() else ""


def row(folder, field):
    """The row of one field, as a dict."""
    done, made = compile_text(folder, "message M {\n  " + field + "\n}\n")
    assert done.returncode == 0, done.stderr
    values = re.search(r'\{"f", (.*)\},', made)[1].split(", ")
    names = ("chars_min chars_max bytes_min bytes_max items_min items_max ranged required line "
             "minimum maximum").split()
    return dict(zip(names, values))


@pytest.mark.parametrize("field, expected", [
    ("string f = 1;", {"chars_max": NONE, "bytes_max": "1024u", "items_max": "1000u"}),
    ("string f = 1; // [1..140 chars]",
     {"chars_min": "1u", "chars_max": "140u", "bytes_max": "560u"}),
    ("string f = 1; // [..65536 bytes]", {"chars_max": NONE, "bytes_max": "65536u"}),
    ("string f = 1; // [10..140 chars; line] a title",
     {"chars_min": "10u", "chars_max": "140u", "line": "1"}),
    ("bytes f = 1; // [32..32 bytes]", {"bytes_min": "32u", "bytes_max": "32u"}),
    ("repeated string f = 1; // [1..7 items; each 1..40 chars]",
     {"items_min": "1u", "items_max": "7u", "chars_min": "1u", "chars_max": "40u"}),
    ("repeated uint64 f = 1; // [..10 items; each id]",
     {"items_max": "10u", "ranged": "1", "minimum": "INT64_C(1)"}),
    ("uint32 f = 1; // [1..4]",
     {"ranged": "1", "minimum": "INT64_C(1)", "maximum": "UINT64_C(4)"}),
    ("int32 f = 1; // [-1..1]",
     {"ranged": "1", "minimum": "INT64_C(-1)", "maximum": "UINT64_C(1)"}),
    ("uint32 f = 1; // [1..]", {"minimum": "INT64_C(1)", "maximum": f"UINT64_C({2**64 - 1})"}),
    ("int64 f = 1; // [..9]", {"minimum": "INT64_MIN", "maximum": "UINT64_C(9)"}),
    ("uint64 f = 1; // [id]",
     {"ranged": "1", "minimum": "INT64_C(1)", "maximum": f"UINT64_C({2**63 - 1})"}),
    ("Other f = 1; // [required]", {"required": "1", "ranged": "0"}),
    ("uint64 f = 1; // see [1..4] elsewhere", {"ranged": "0"}),
])
def test_a_bracket_means(tmp_path, field, expected):
    found = row(tmp_path, field)
    assert {name: found[name] for name in expected} == expected


@pytest.mark.parametrize("field, reason", [
    ("string f = 1; // [1..4]", "chars, bytes or items are missing"),
    ("uint32 f = 1; // [1..4 chars]", "does not fit"),
    ("uint32 f = 1; // [..4 bytes]", "strings and bytes"),
    ("string f = 1; // [1..4 items]", "for lists"),
    ("string f = 1; // [each 1..4 chars]", "for lists"),
    ("string f = 1; // [4..1 chars]", "is empty"),
    ("string f = 1; // [4.. chars]", "upper end"),
    ("string f = 1; // [1-4 chars]", "cannot read"),
    ("string f = 1; // [lines]", "cannot read"),
    ("bytes f = 1; // [line]", "does not fit"),
    ("string f = 1; // [id]", "does not fit"),
    ("bool f = 1; // [required]", "not for lists and booleans"),
    ("repeated string f = 1; // [required]", "not for lists and booleans"),
])
def test_a_bracket_that_makes_no_sense_stops_the_build(tmp_path, field, reason):
    done, _ = compile_text(tmp_path, "message M {\n  " + field + "\n}\n")
    assert done.returncode != 0
    assert re.search(r"test\.proto:4: f: ", done.stderr) and reason in done.stderr


def test_rows_are_in_the_order_of_numbers_and_messages_in_that_of_names(tmp_path):
    done, made = compile_text(tmp_path, """
message Zebra { }
message Ant {
  string second = 20;
  string first = 3;
  oneof choice {
    uint32 third = 40; // [1..2]
  }
}
enum Kind {
  KIND_UNSPECIFIED = 0; // [1..4] of no consequence
}
service Things {
  rpc Get(Ant) returns (Zebra);
}
""")
    assert done.returncode == 0, done.stderr
    order = [made.index(f'"{name}"') for name in ("first", "second", "third", "test.Ant", "test.Zebra")]
    assert order == sorted(order)
    assert '{"test.Zebra", 0, 0}' in made
    assert "KIND" not in made
