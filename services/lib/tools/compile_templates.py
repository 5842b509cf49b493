#!/usr/bin/env python3
"""Compiles a folder of templates to C: every page is a function that appends bytes.

    compile_templates.py FOLDER OUT.c OUT.h

*.html templates escape by where a value stands; *.txt templates are plain text and keep every
line as written. A template holds C control flow in {% %} and values in {{ }}:

    {% include "gateway/views.h" %}     for the generated header
    {% template name(parameters) %}     void render_name(struct html_out *out, parameters)
    {% part name(parameters) %}         the same, private to this folder
    {% call name(arguments) %}          renders it here
    {% any C %}                         for, if, else, declarations
    {# a remark #}

    {{ value }}                         escaped for text, attribute, URL or JSON
    {{ text in language }}              with French spacing when language is LOCALE_FR
    {{{ markup }}} {{{ markup in language }}}    struct html, not escaped
    {{_ "Par %s" value, ... }}          translated; % takes values in order, %2$s the second
    {{n "%d avis" "%d avis" count, ...}}         translated, by number
    {{date m}} {{day m}} {{exact m}} {{clock m}} <time>; each takes "in zone"
    {{lang language}}                   ` lang="en"` where it is not the page's
    {{marked text in language}}         a search result with its matches in <mark>
    {{static "site.css"}}               the address of a static file, by content

What is refused, because it would be unsafe or blocked by our content policy: a value in an
unquoted attribute, in a tag's or attribute's name, in a comment, in style or on… attributes or
in script and style elements (JSON in `<script type="application/ld+json">` excepted); inline
style and script at all; branches of one {% if %} that end in different places of the markup.
"""

import pathlib
import re
import sys

TOKEN = re.compile(r"\{#.*?#\}|\{%.*?%\}|\{\{\{.*?\}\}\}|\{\{.*?\}\}", re.S)
C_STRING = r'"(?:[^"\\\n]|\\.)*"'
C_STRINGS = rf"{C_STRING}(?:\s*{C_STRING})*"
LITERAL_MAX = 2000  # C17 promises 4095 bytes; escapes take up to four
URL_ATTRIBUTES = {"href", "src", "action", "formaction", "cite", "poster", "data", "srcset"}
RAW_ELEMENTS = {"script", "style"}
DROPPED_NEWLINE = "\v"  # in plain text, ends a line that leaves no trace
TIMES = {"date": "HTML_DATE", "day": "HTML_DAY", "exact": "HTML_EXACT", "clock": "HTML_CLOCK"}


class Refused(Exception):
    """The template is wrong at `line`."""

    def __init__(self, line, reason):
        super().__init__(reason)
        self.line = line


def fnv1a(text):
    value = 2166136261
    for byte in text.encode():
        value = (value ^ byte) * 16777619 & 0xFFFFFFFF
    return value


def c_text(literal):
    """The text of one or more adjacent C string literals."""
    parts = re.findall(C_STRING, literal)
    return "".join(
        part[1:-1].encode().decode("unicode_escape").encode("latin-1").decode()
        if "\\" in part
        else part[1:-1]
        for part in parts
    )


def c_literal(data):
    out = []
    for byte in data:
        if byte in (0x22, 0x5C):
            out.append("\\" + chr(byte))
        elif byte == 0x0A:
            out.append("\\n")
        elif 0x20 <= byte < 0x7F and byte != 0x3F:
            out.append(chr(byte))
        else:
            out.append(f"\\{byte:03o}")
    return '"' + "".join(out) + '"'


class Markup:
    """Where in HTML the writer stands: text, tag, attribute value, raw element."""

    def __init__(self):
        self.state = "text"
        self.tag = ""
        self.attribute = ""
        self.value_started = False
        self.is_json = False
        self.raw = ""
        self.closing = False
        self.has_source = False

    def snapshot(self):
        return (self.state, self.raw, self.attribute if self.state.startswith("value") else "")

    def restore(self, saved):
        self.__dict__.update(saved)

    def save(self):
        return dict(self.__dict__)

    def feed(self, text, line):
        for character in text:
            getattr(self, "in_" + self.state)(character, line)
            if character == "\n":
                line += 1

    def in_text(self, c, line):
        if c == "<":
            self.state, self.tag, self.closing = "open", "", False

    def in_open(self, c, line):
        if c == "!" and not self.tag:
            self.state, self.tag = "declaration", ""
        elif c == "/" and not self.tag and not self.closing:
            self.closing = True
        elif c.isalnum() or c == "-":
            self.tag += c.lower()
        elif not self.tag:
            raise Refused(line, "a bare < in text: write &lt;")
        else:
            self.is_json = self.has_source = False
            self.state = "tag"
            self.in_tag(c, line)

    def in_declaration(self, c, line):
        self.tag += c
        if self.tag.startswith("--"):
            if self.tag.endswith("-->") and len(self.tag) >= 5:
                self.state = "text"
        elif c == ">":
            self.state = "text"

    def in_tag(self, c, line):
        if c == ">":
            self.end_tag(line)
        elif not c.isspace() and c != "/":
            self.state, self.attribute = "name", c.lower()

    def in_name(self, c, line):
        if c == "=":
            self.check_attribute(line)
            self.state, self.value_started, self.value = "equals", False, ""
        elif c == ">" or c.isspace() or c == "/":
            self.check_attribute(line)
            self.state = "tag"
            self.in_tag(c, line)
        else:
            self.attribute += c.lower()

    def check_attribute(self, line):
        if self.attribute.startswith("on") or self.attribute == "style":
            raise Refused(line, f"inline {self.attribute}: the content policy blocks it")
        if self.attribute == "src":
            self.has_source = True

    def in_equals(self, c, line):
        if c in "\"'":
            self.state = "value" + c
        elif c == ">" or c.isspace():
            raise Refused(line, f"{self.attribute}= without a value")
        else:
            self.state, self.value = "unquoted", c

    def in_unquoted(self, c, line):
        if c == ">" or c.isspace():
            self.end_value()
            self.in_tag(c, line)
        else:
            self.value += c

    def quoted(self, quote, c, line):
        if c == quote:
            self.end_value()
        else:
            self.value_started = True
            self.value += c

    def end_value(self):
        if self.attribute == "type" and self.value == "application/ld+json":
            self.is_json = True
        self.state = "tag"

    def end_tag(self, line):
        self.state = "text"
        if self.tag not in RAW_ELEMENTS or self.closing:
            return
        if self.tag == "style" or not (self.is_json or self.has_source):
            raise Refused(line, f"inline <{self.tag}>: the content policy blocks it")
        self.state, self.raw, self.tail = "raw", self.tag, ""

    def in_raw(self, c, line):
        self.tail = (self.tail + c.lower())[-len("</script>") :]
        if self.tail.endswith(f"</{self.raw}>"):
            self.state, self.raw = "text", ""

    def place(self, line):
        """What a value written here must be escaped for."""
        if self.state == "text":
            return "text"
        if self.state in ('value"', "value'"):
            if self.attribute in URL_ATTRIBUTES:
                return "url part" if self.value_started else "url"
            return "attribute"
        if self.state == "raw" and self.is_json:
            return "json"
        if self.state in ("equals", "unquoted"):
            raise Refused(line, f"a value in the unquoted attribute {self.attribute}")
        raise Refused(line, f"a value may not stand here ({self.state})")

    def settle(self, line):
        """A tag or attribute name ends where a statement stands."""
        if self.state == "open" and self.tag:
            self.is_json = self.has_source = False
            self.state = "tag"
        elif self.state == "name":
            self.check_attribute(line)
            self.state = "tag"

    def wrote(self):
        if self.state.startswith("value"):
            self.value_started = True


setattr(Markup, 'in_value"', lambda self, c, line: self.quoted('"', c, line))
setattr(Markup, "in_value'", lambda self, c, line: self.quoted("'", c, line))


class Template:
    """One file on its way to C."""

    def __init__(self, path):
        self.path = path
        self.plain = path.suffix == ".txt"
        self.source = path.read_text(encoding="utf-8")
        self.includes = []
        self.functions = []  # (is_extern, signature)
        self.body = []
        self.literal = bytearray()
        self.markup = Markup()
        self.open_blocks = []  # the markup's state where each brace opened
        self.inside = False
        self.verbatim = 0
        self.at_line_start = True

    # --- writing C ---

    def flush(self):
        data = bytes(self.literal)
        self.literal.clear()
        while data:
            cut = min(len(data), LITERAL_MAX)
            while cut < len(data) and data[cut] & 0xC0 == 0x80:
                cut -= 1
            self.body.append(f"\thtml_raw(out, {c_literal(data[:cut])}, {cut});")
            data = data[cut:]

    def code(self, text, line):
        self.flush()
        self.body.append(f'#line {line} "{self.path.as_posix()}"')
        self.body.append("\t" + text)

    # --- text between tokens ---

    def squeeze(self, text):
        """Indentation and blank lines are for the writer, not for the wire."""
        out = []
        for piece in re.split(r"(</?(?:pre|textarea)\b)", text):
            if re.fullmatch(r"<(?:pre|textarea)", piece):
                self.verbatim += 1
            elif re.fullmatch(r"</(?:pre|textarea)", piece):
                self.verbatim -= 1
            elif not self.verbatim:
                piece = re.sub(r"\s*\n\s*", "\n", piece)
                piece = re.sub(r"[ \t]+", " ", piece)
                if self.at_line_start:
                    piece = piece.lstrip()
            if piece:
                self.at_line_start = piece.endswith("\n")
            out.append(piece)
        return "".join(out)

    def text(self, text, line):
        if not self.inside:
            if text.strip():
                raise Refused(line, "text outside of any template")
            return
        if self.plain:
            text = text.replace(DROPPED_NEWLINE, "")
        else:
            self.markup.feed(text, line)
            text = self.squeeze(text)
        self.literal += text.encode()

    # --- {% %} ---

    def declare(self, word, signature, line):
        match = re.fullmatch(r"(\w+)\s*\((.*)\)", signature, re.S)
        if not match:
            raise Refused(line, f"{word} needs a name and (parameters)")
        self.end_function(line)
        name, parameters = match.group(1), match.group(2).strip()
        parameters = "" if parameters in ("", "void") else ", " + parameters
        prototype = f"void render_{name}(struct html_out *out{parameters})"
        self.functions.append((word == "template", prototype))
        static = "" if word == "template" else "static "
        self.body.append(f'#line {line} "{self.path.as_posix()}"')
        self.body.append(f"{static}{prototype}\n{{")
        self.markup, self.open_blocks = Markup(), []
        self.inside, self.at_line_start, self.verbatim = True, True, 0

    def end_function(self, line):
        if not self.inside:
            return
        if self.open_blocks:
            raise Refused(line, "a { is not closed")
        if not self.plain and self.markup.state != "text":
            raise Refused(line, f"the template ends inside a tag ({self.markup.state})")
        if self.literal.endswith(b"\n") and not self.plain:
            del self.literal[-1:]
        self.flush()
        self.body.append("}\n")
        self.inside = False

    def statement(self, text, line):
        word = re.match(r"\w*", text).group()
        rest = text[len(word) :].strip()
        if word == "include":
            self.includes.append(rest)
            return
        if word in ("template", "part"):
            self.declare(word, rest, line)
            return
        if not self.inside:
            raise Refused(line, "code outside of any template")
        if word == "call":
            match = re.fullmatch(r"(\w+)\s*\((.*)\)", rest, re.S)
            if not match:
                raise Refused(line, "call needs a name and (arguments)")
            arguments = ", " + match.group(2) if match.group(2).strip() else ""
            if not self.plain and self.markup.state != "text":
                raise Refused(line, "a call may only stand in the text of a page")
            self.code(f"render_{match.group(1)}(out{arguments});", line)
            self.at_line_start = False
            return
        self.markup.settle(line)
        self.braces(text, line)
        self.code(text, line)

    def braces(self, text, line):
        bare = re.sub(rf"{C_STRING}|'(?:[^'\\]|\\.)+'", "", text)
        for brace in re.findall(r"[{}]", bare):
            if brace == "{":
                self.open_blocks.append(self.markup.save())
                continue
            if not self.open_blocks:
                raise Refused(line, "a } closes nothing")
            opened = self.open_blocks.pop()
            before = Markup()
            before.restore(opened)
            if not self.plain and before.snapshot() != self.markup.snapshot():
                raise Refused(line, "the block ends in another place of the markup than it began")
            if "else" in bare:
                self.markup.restore(opened)

    # --- {{ }} ---

    @staticmethod
    def split_in(expression):
        """`value in language`, the last word `in` that stands outside of strings."""
        bare = re.sub(C_STRING, lambda m: "_" * len(m.group()), expression)
        found = list(re.finditer(r"\s+in\s+", bare))
        if not found:
            return expression.strip(), None
        last = found[-1]
        return expression[: last.start()].strip(), expression[last.end() :].strip()

    def raw_value(self, expression, line):
        place = "text" if self.plain else self.markup.place(line)
        if place != "text" or self.plain:
            raise Refused(line, "markup may only stand in the text of a page")
        value, language = self.split_in(expression)
        if language is None:
            self.code(f"html_markup(out, {value});", line)
        else:
            self.code(f"html_typeset_markup(out, {value}, {language});", line)
        self.at_line_start = False

    def value(self, expression, line):
        if not self.inside:
            raise Refused(line, "a value outside of any template")
        place = "plain" if self.plain else None
        word = re.match(r"(_|n|lang|marked|static|json|date|day|exact|clock)(?=[\s\"])", expression)
        if word:
            rest = expression[word.end() :].strip()
            if word.group(1) == "lang":
                self.markup.settle(line)
                if self.plain or self.markup.state != "tag":
                    raise Refused(line, "lang stands inside a tag, between attributes")
                self.code(f"html_language(out, {rest});", line)
                return
            place = place or self.markup.place(line)
            self.code(self.directive(word.group(1), rest, place, line), line)
        else:
            place = place or self.markup.place(line)
            self.code(self.plain_value(expression, place, line), line)
        self.markup.wrote()
        self.at_line_start = False

    def plain_value(self, expression, place, line):
        value, language = self.split_in(expression)
        if language is not None:
            if place == "plain":
                return f"plain_typeset(out, {value}, {language});"
            if place not in ("text", "attribute"):
                raise Refused(line, "French spacing has no place in an address")
            return f"html_typeset(out, {value}, {language});"
        macro = {
            "plain": "HTML_PLAIN",
            "text": "HTML_TEXT",
            "attribute": "HTML_ATTRIBUTE",
            "url": "HTML_URL",
            "url part": "HTML_URL_PART",
            "json": "HTML_JSON",
        }[place]
        return f"{macro}(out, {value});"

    def directive(self, word, rest, place, line):
        if word in ("_", "n"):
            return self.message(word, rest, place, line)
        if word == "static":
            if not re.fullmatch(C_STRING, rest):
                raise Refused(line, "static takes one file name in quotes")
            name = "STATIC_" + re.sub(r"\W", "_", rest[1:-1]).upper()
            return f"html_raw(out, {name}, sizeof({name}) - 1);"
        value, argument = self.split_in(rest)
        if word == "marked":
            if place != "text" or argument is None:
                raise Refused(line, "marked shows text, `in` its language")
            return f"html_marked(out, {value}, {argument});"
        if word in TIMES:
            function = {"text": "html_time", "plain": "plain_time", "attribute": "plain_time"}.get(place)
            if function is None:
                raise Refused(line, f"{word} has no place in an address")
            return f"{function}(out, {TIMES[word]}, {value}, {argument or 'out->zone'});"
        if word == "json" and place == "json":
            return f"HTML_JSON(out, {value});"
        raise Refused(line, f"{word} may not stand here")

    def message(self, word, rest, place, line):
        if place in ("url", "json"):
            place = "attribute"
        if place == "url part":
            raise Refused(line, "a translated text has no place in an address")
        pattern = rf"({C_STRINGS})\s*(.*)" if word == "_" else rf"({C_STRING})\s*({C_STRING})\s*(.+)"
        match = re.fullmatch(pattern, rest, re.S)
        if not match:
            raise Refused(line, f"{{{{{word}}}}} takes its text in quotes" + (", both forms" if word == "n" else ""))
        one = match.group(1)
        values = [v for v in split_arguments(match.groups()[-1])]
        digest = f"0x{fnv1a(c_text(one)):08x}U"
        if word == "_":
            text = f"tr_hashed(out->locale, {one}, {digest})"
        else:
            text = f"tr_plural_hashed(out->locale, {one}, {match.group(2)}, {digest}, (int64_t)({values[0]}))"
        if not values:
            return f"{'plain_text' if place == 'plain' else 'html_text'}(out, {text});"
        where = {"text": "HTML_IN_TEXT", "attribute": "HTML_IN_ATTRIBUTE", "plain": "HTML_IN_PLAIN"}[place]
        array = ", ".join(f"HTML_VALUE({value})" for value in values)
        return (
            f"html_format(out, {where}, {text}, "
            f"(const struct html_value[]){{{array}}}, {len(values)});"
        )

    # --- the whole file ---

    def compile(self):
        source = self.source
        if self.plain:
            # A line that holds only statements or remarks leaves no trace.
            source = re.sub(
                r"(?m)^[ \t]*((?:\{%[^\n]*?%\}|\{#[^\n]*?#\})+)[ \t]*\n",
                r"\1" + DROPPED_NEWLINE,
                source,
            )

        def line_at(at):
            return source.count("\n", 0, at) + source.count(DROPPED_NEWLINE, 0, at) + 1

        at = 0
        for token in TOKEN.finditer(source):
            self.text(source[at : token.start()], line_at(at))
            self.token(token.group(), line_at(token.start()))
            at = token.end()
        self.text(source[at:], line_at(at))
        self.end_function(line_at(len(source.rstrip())))

    def token(self, token, line):
        if token.startswith("{#"):
            return
        if token.startswith("{%"):
            self.statement(token[2:-2].strip(), line)
        elif token.startswith("{{{"):
            self.raw_value(token[3:-3].strip(), line)
        else:
            self.value(token[2:-2].strip(), line)


def split_arguments(text):
    """Splits at commas that stand outside of strings and brackets."""
    depth, start, parts = 0, 0, []
    bare = re.sub(rf"{C_STRING}|'(?:[^'\\]|\\.)+'", lambda m: "_" * len(m.group()), text)
    for index, character in enumerate(bare):
        if character in "([{":
            depth += 1
        elif character in ")]}":
            depth -= 1
        elif character == "," and depth == 0:
            parts.append(text[start:index].strip())
            start = index + 1
    parts.append(text[start:].strip())
    return [part for part in parts if part]


def main():
    if len(sys.argv) != 4:
        sys.exit("usage: compile_templates.py FOLDER OUT.c OUT.h")
    folder, out_c, out_h = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
    templates, failed = [], False
    for path in sorted([*folder.glob("*.html"), *folder.glob("*.txt")]):
        template = Template(path)
        try:
            template.compile()
        except Refused as refused:
            print(f"{path}:{refused.line}: error: {refused}", file=sys.stderr)
            failed = True
        templates.append(template)
    if failed:
        sys.exit(1)

    includes = list(dict.fromkeys(name for t in templates for name in t.includes))
    guard = re.sub(r"\W", "_", out_h.name).upper()
    head = [f"/* {out_h.name} - compiled from templates; do not edit. */", f"#ifndef {guard}", f"#define {guard}", ""]
    head += ['#include "lib/template.h"'] + [f"#include {name}" for name in includes] + [""]
    head += [f"{signature};" for t in templates for is_extern, signature in t.functions if is_extern]
    head += ["", "#endif", ""]
    out_h.write_text("\n".join(head), encoding="utf-8")

    body = [f"/* {out_c.name} - compiled from templates; do not edit. */", f'#include "{out_h.name}"', ""]
    body += [f"static {s};" for t in templates for is_extern, s in t.functions if not is_extern]
    body += ["#if defined(__clang__)", '#pragma clang diagnostic ignored "-Wunused-parameter"', "#else",
             '#pragma GCC diagnostic ignored "-Wunused-parameter"', "#endif", ""]
    for template in templates:
        body += template.body
    out_c.write_text("\n".join(body), encoding="utf-8")


if __name__ == "__main__":
    main()
