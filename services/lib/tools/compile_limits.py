#!/usr/bin/python3
"""Makes a C table of the limits written in the comments of .proto files.

    compile_limits.py limits.c common.proto events.proto ...

The grammar stands at the top of proto/common.proto. Every field of every message
gets a row, those without brackets the default; a bracket that makes no sense for
its field stops the build with file and line.
"""
import re
import sys

SCALARS = {
    "double": "real", "float": "real", "bool": "bool", "string": "text", "bytes": "bytes",
    **{name: "number" for name in (
        "int32 int64 uint32 uint64 sint32 sint64 fixed32 fixed64 sfixed32 sfixed64").split()},
}
NONE = 2**32 - 1
DEFAULT_BYTES = 1024
DEFAULT_ITEMS = 1000
CHAR_BYTES = 4  # the longest character in UTF-8
ID_MAX = 2**63 - 1
FIELD = re.compile(r"(repeated\s+|optional\s+)?([\w.]+)\s+(\w+)\s*=\s*(\d+)\s*(\[[^\]]*\])?$")
AMOUNT = re.compile(r"(-?\d+)?\.\.(-?\d+)?(?:\s+(chars|bytes|items))?$")


class Mistake(Exception):
    pass


class Field:
    def __init__(self, label, kind, name, number):
        self.name, self.number = name, int(number)
        self.repeated = label == "repeated"
        self.kind = SCALARS.get(kind, "named")  # a message or an enum
        self.chars = self.bytes = self.items = self.range = None
        self.required = self.line = False

    def limit(self, text):
        for part in text.split(";"):
            part = part.strip()
            if part.startswith("each "):
                if not self.repeated:
                    raise Mistake("'each' is for lists")
                part = part[len("each "):].strip()
            self.limit_part(part)

    def limit_part(self, part):
        if part == "required":
            if self.repeated or self.kind == "bool":
                raise Mistake("'required' is not for lists and booleans")
            self.required = True
        elif part == "line":
            self.want("text", part)
            self.line = True
        elif part == "id":
            self.want("number", part)
            self.range = (1, ID_MAX)
        else:
            self.limit_amount(part)

    def limit_amount(self, part):
        match = AMOUNT.match(part)
        if not match or (match[1] is None and match[2] is None):
            raise Mistake(f"cannot read '{part}'")
        low, high, unit = match.groups()
        low = None if low is None else int(low)
        high = None if high is None else int(high)
        if low is not None and high is not None and low > high:
            raise Mistake(f"'{part}' is empty")
        if unit is None:
            if self.kind not in ("number", "real"):
                raise Mistake(f"'{part}' is for numbers; chars, bytes or items are missing")
            self.range = (-(2**63) if low is None else low, 2**64 - 1 if high is None else high)
            return
        if high is None or (low or 0) < 0:
            raise Mistake(f"'{part}' needs an upper end")
        if unit == "items":
            if not self.repeated:
                raise Mistake("'items' is for lists")
            self.items = (low or 0, high)
        elif unit == "chars":
            self.want("text", part)
            self.chars = (low or 0, high)
        elif self.kind in ("text", "bytes"):
            self.bytes = (low or 0, high)
        else:
            raise Mistake(f"'{part}' is for strings and bytes")

    def want(self, kind, part):
        if self.kind != kind:
            raise Mistake(f"'{part}' does not fit this type")

    def row(self):
        chars = self.chars or (0, NONE)
        size = self.bytes or (0, chars[1] * CHAR_BYTES if self.chars else DEFAULT_BYTES)
        items = self.items or (0, DEFAULT_ITEMS)
        low, high = self.range or (0, 0)
        # -2^63 has no literal in C
        low = "INT64_MIN" if low == -(2**63) else f"INT64_C({low})"
        values = [*chars, *size, *items]
        return '\t{"%s", %s, %d, %d, %d, %s, UINT64_C(%d)},' % (
            self.name, ", ".join(f"{value}u" for value in values),
            self.range is not None, self.required, self.line, low, max(high, 0))


def parse(path, messages):
    """Adds {full name: [Field]} of one file; messages may be nested."""
    package, stack = "", []
    with open(path, encoding="utf-8") as source:
        for number, line in enumerate(source, 1):
            code, _, comment = line.partition("//")
            brackets = re.match(r"\s*\[([^\]]*)\]", comment)
            field = None
            for piece in re.findall(r"[^{};]+|[{};]", code):
                piece = piece.strip()
                if piece == "}":
                    stack.pop()
                elif piece == "{":
                    stack.append(head)
                    if head[0] == "message":
                        messages[full_name(package, stack)] = []
                elif piece == ";" or not piece:
                    continue
                elif piece.startswith("package "):
                    package = piece.split()[1]
                else:
                    words = piece.split()
                    head = (words[0], words[1] if len(words) > 1 else "")
                    match = FIELD.match(piece)
                    if match and stack and stack[-1][0] in ("message", "oneof"):
                        label = (match[1] or "").strip()
                        field = Field(label, match[2], match[3], match[4])
                        messages[full_name(package, stack)].append(field)
            if field and brackets:
                try:
                    field.limit(brackets[1])
                except Mistake as mistake:
                    sys.exit(f"{path}:{number}: {field.name}: {mistake}")


def full_name(package, stack):
    return ".".join([package] + [name for kind, name in stack if kind == "message"])


def write(path, messages):
    with open(path, "w", encoding="utf-8") as out:
        out.write("/* Made by compile_limits.py from proto/. */\n#include \"lib/limits.h\"\n\n")
        for name, fields in sorted(messages.items()):
            if not fields:
                continue
            out.write(f"static const struct limits_field {name.replace('.', '__')}[] = {{\n")
            for field in sorted(fields, key=lambda field: field.number):
                out.write(field.row() + "\n")
            out.write("};\n\n")
        out.write("const struct limits_message limits_messages[] = {\n")
        for name, fields in sorted(messages.items()):
            table = name.replace(".", "__") if fields else "0"
            out.write(f'\t{{"{name}", {table}, {len(fields)}}},\n')
        out.write("};\n\nconst size_t limits_messages_count = "
                  "sizeof limits_messages / sizeof limits_messages[0];\n")


def main():
    messages = {}
    for path in sys.argv[2:]:
        parse(path, messages)
    write(sys.argv[1], messages)


if __name__ == "__main__":
    main()
