#!/usr/bin/env python3
"""Compiles the English catalogues into one C table and refuses what is not translated.

    compile_locale.py OUT.c CATALOGUE.po... -- SOURCE...

French is the language of the source, so a message is named by its French text. Every message used
in a source (tr(…, "…"), tr_plural(…, "…", "…", n) and TR("…") in C; {{_ "…"}} and {{n "…" "…"}} in
templates) must stand in a catalogue, and each message's %s and %d must agree with its translation.
French texts get their no-break spaces here, once: before ; ! ? : %% and inside « ».
"""

import pathlib
import re
import struct
import subprocess
import sys
import tempfile

C_STRING = r'"(?:[^"\\\n]|\\.)*"'
C_STRINGS = rf"{C_STRING}(?:\s*{C_STRING})*"
USES = {
    ".c": [
        (rf"\btr\s*\([^;\"]*?,\s*({C_STRINGS})\s*\)", False),
        (rf"\btr_plural\s*\([^;\"]*?,\s*({C_STRINGS})\s*,\s*({C_STRINGS})\s*,", True),
        (rf"\bTR\s*\(\s*({C_STRINGS})\s*\)", False),
    ],
    ".html": [
        (rf"\{{\{{_\s*({C_STRINGS})", False),
        (rf"\{{\{{n\s*({C_STRING})\s*({C_STRING})", True),
        (rf"\bTR\s*\(\s*({C_STRINGS})\s*\)", False),
        (rf"\btr\s*\([^;\"]*?,\s*({C_STRINGS})\s*\)", False),
    ],
}
USES[".h"] = USES[".c"]
USES[".txt"] = USES[".html"]


def c_text(literal):
    parts = (part[1:-1] for part in re.findall(C_STRING, literal))
    return "".join(
        p.encode().decode("unicode_escape").encode("latin-1").decode() if "\\" in p else p
        for p in parts
    )


def c_literal(text):
    if text is None:
        return "NULL"
    out = []
    for byte in text.encode():
        if byte in (0x22, 0x5C):
            out.append("\\" + chr(byte))
        elif 0x20 <= byte < 0x7F and byte != 0x3F:
            out.append(chr(byte))
        else:
            out.append(f"\\{byte:03o}")
    return '"' + "".join(out) + '"'


def fnv1a(text):
    value = 2166136261
    for byte in text.encode():
        value = (value ^ byte) * 16777619 & 0xFFFFFFFF
    return value


def typeset(text):
    text = re.sub(r" ([;!?]|%%)", "\u202f\\1", text)
    text = re.sub(r" :(?=\s|$)", "\u00a0:", text)
    text = re.sub(r"« ?", "«\u00a0", text)
    return re.sub(r" ?»", "\u00a0»", text)


def read_catalogue(path):
    """{msgid: (msgid_plural or None, [msgstr...])}, through msgfmt."""
    with tempfile.NamedTemporaryFile(suffix=".mo") as compiled:
        subprocess.run(
            ["msgfmt", "--check-domain", "-o", compiled.name, str(path)],
            check=True,
        )
        data = pathlib.Path(compiled.name).read_bytes()
    order = "<" if data[:4] == b"\xde\x12\x04\x95" else ">"
    count, originals, translations = struct.unpack_from(order + "8x3I", data)

    def string(table, index):
        length, start = struct.unpack_from(order + "2I", data, table + index * 8)
        return data[start : start + length].decode().split("\0")

    messages = {}
    for index in range(count):
        msgid = string(originals, index)
        if msgid[0]:
            messages[msgid[0]] = (msgid[1] if len(msgid) > 1 else None, string(translations, index))
    return messages


def placeholders(text):
    """The values a format takes, as positions: {0, 1} for "%s sur %s" and for "%2$s, %1$s"."""
    found, following = set(), 0
    for match in re.finditer(r"%(?:%|(?:([1-9])\$)?([sd])?)", text):
        if match.group() == "%%":
            continue
        if match.group(2) is None:
            raise ValueError("a % that is neither %s, %d nor %%")
        if match.group(1):
            found.add(int(match.group(1)) - 1)
        else:
            found.add(following)
            following += 1
    return found


def check_values(msgid, plural, translations):
    texts = [msgid, plural, *translations] if plural else [msgid, *translations]
    if any("%" in text for text in texts):
        sets = [placeholders(text) for text in texts]
        if plural is None and any(s != sets[0] for s in sets):
            raise ValueError("its translation takes other values")
        # A singular may leave its number out: "une réaction".
        if plural is not None and any(s - sets[1] for s in sets):
            raise ValueError("one of its forms takes a value the plural does not")


def uses_in(path):
    source = path.read_text(encoding="utf-8")
    if path.suffix in (".c", ".h"):
        source = re.sub(r"/\*.*?\*/", lambda m: "\n" * m.group().count("\n"), source, flags=re.S)
    for pattern, is_plural in USES.get(path.suffix, []):
        for match in re.finditer(pattern, source, re.S):
            line = source.count("\n", 0, match.start()) + 1
            yield line, c_text(match.group(1)), c_text(match.group(2)) if is_plural else None


def merge(paths, errors):
    merged = {}
    for path in paths:
        for msgid, (plural, translations) in read_catalogue(path).items():
            try:
                check_values(msgid, plural, translations)
            except ValueError as error:
                errors.append(f'{path}: error: "{msgid}": {error}')
            if merged.setdefault(msgid, (plural, translations)) != (plural, translations):
                errors.append(f'{path}: error: "{msgid}" is translated otherwise elsewhere')
    return merged


def check_uses(paths, messages, errors):
    for path in paths:
        for line, msgid, plural in uses_in(path):
            where = f"{path}:{line}: error"
            if msgid not in messages:
                errors.append(f'{where}: no English for "{msgid}"')
            elif plural is not None and messages[msgid][0] != plural:
                errors.append(f'{where}: the catalogue has another plural for "{msgid}"')


def write(out, messages):
    size = 16
    while size < 2 * len(messages) + 1:
        size *= 2
    table = [None] * size
    for msgid in sorted(messages):
        at = fnv1a(msgid) & (size - 1)
        while table[at] is not None:
            at = (at + 1) & (size - 1)
        table[at] = msgid
    rows = []
    for msgid in table:
        if msgid is None:
            rows.append("\t{NULL, 0, {NULL, NULL}, {NULL, NULL}},")
            continue
        plural, english = messages[msgid]
        one = f"{{{c_literal(typeset(msgid))}, {c_literal(english[0])}}}"
        many = "{NULL, NULL}"
        if plural is not None:
            many = f"{{{c_literal(typeset(plural))}, {c_literal(english[-1])}}}"
        rows.append(f"\t{{{c_literal(msgid)}, 0x{fnv1a(msgid):08x}U, {one}, {many}}},")
    out.write_text(
        f"/* {out.name} - every message in French and English; do not edit. */\n"
        '#include "lib/locale.h"\n\n'
        "const struct locale_message locale_messages[] = {\n"
        + "\n".join(rows)
        + f"\n}};\n\nconst size_t locale_messages_size = {size};\n"
    )


def main():
    arguments = sys.argv[1:]
    if "--" not in arguments or arguments.index("--") < 1:
        sys.exit("usage: compile_locale.py OUT.c CATALOGUE.po... -- SOURCE...")
    split = arguments.index("--")
    out = pathlib.Path(arguments[0])
    errors = []
    messages = merge([pathlib.Path(p) for p in arguments[1:split]], errors)
    check_uses([pathlib.Path(p) for p in arguments[split + 1 :]], messages, errors)
    if errors:
        sys.exit("\n".join(dict.fromkeys(errors)))
    write(out, messages)


if __name__ == "__main__":
    main()
