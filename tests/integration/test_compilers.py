"""The build's own compilers: what they make, and above all what they refuse."""

import pathlib
import subprocess
import sys

import pytest

TOOLS = pathlib.Path(__file__).resolve().parents[2] / "services/lib/tools"


def run(tool, *arguments):
    return subprocess.run(
        [sys.executable, "-B", str(TOOLS / tool), *map(str, arguments)],
        capture_output=True,
        text=True,
    )


@pytest.fixture
def compile_template(tmp_path):
    """Compiles one template and answers its C, or the error."""

    def compiled(source, name="page.html"):
        folder = tmp_path / "templates"
        folder.mkdir(exist_ok=True)
        (folder / name).write_text(source, encoding="utf-8")
        done = run("compile_templates.py", folder, tmp_path / "out.c", tmp_path / "out.h")
        (folder / name).unlink()
        if done.returncode != 0:
            return done.stderr
        return (tmp_path / "out.c").read_text(encoding="utf-8")

    return compiled


def page(body):
    return "{% template page(const struct view *view) %}\n" + body + "\n"


@pytest.mark.parametrize(
    "body, expected",
    [
        ("<p>{{ view->title }}</p>", "HTML_TEXT(out, view->title);"),
        ('<p title="{{ view->title }}">', "HTML_ATTRIBUTE(out, view->title);"),
        ('<a href="{{ view->url }}">', "HTML_URL(out, view->url);"),
        ('<a href="/x?q={{ view->q }}">', "HTML_URL_PART(out, view->q);"),
        ('<form action="/t/{{ view->id }}/x">', "HTML_URL_PART(out, view->id);"),
        ("<textarea>{{ view->text }}</textarea>", "HTML_TEXT(out, view->text);"),
        (
            '<script type="application/ld+json">{"a":"{{ view->a }}"}</script>',
            "HTML_JSON(out, view->a);",
        ),
        ("{{ view->a in view->l }}", "html_typeset(out, view->a, view->l);"),
        ('{{ f("a in b") }}', 'HTML_TEXT(out, f("a in b"));'),
        ("{{{ view->h }}}", "html_markup(out, view->h);"),
        ("{{{ view->h in view->l }}}", "html_typeset_markup(out, view->h, view->l);"),
        ("<p{{lang view->l }}>", "html_language(out, view->l);"),
        ('{{static "site.css" }}', "html_raw(out, STATIC_SITE_CSS,"),
        ("{{marked view->a in view->l }}", "html_marked(out, view->a, view->l);"),
        ("{{day view->m in view->z }}", "html_time(out, HTML_DAY, view->m, view->z);"),
        ("{% call other(&view->x, 1) %}", "render_other(out, &view->x, 1);"),
        ('{{_ "Par %s" view->a }}', "html_format(out, HTML_IN_TEXT, tr_hashed("),
    ],
)
def test_a_value_is_escaped_for_the_place_it_stands_in(compile_template, body, expected):
    assert expected in compile_template(page(body))


@pytest.mark.parametrize(
    "body, reason",
    [
        ("<p title={{ view->a }}>", "unquoted attribute"),
        ("<p class=a{{ view->a }}>", "unquoted attribute"),
        ("<p {{ view->a }}>", "may not stand here"),
        ("<p data-{{ view->a }}='x'>", "may not stand here"),
        ("<{{ view->a }}>", "may not stand here"),
        ("<!-- {{ view->a }} -->", "may not stand here"),
        ("<p style='color: red'>", "inline style"),
        ("<p onclick='x()'>", "inline onclick"),
        ("<p ONCLICK='x()'>", "inline onclick"),
        ("<style>p{}</style>", "inline <style>"),
        ("<script>x()</script>", "inline <script>"),
        ("<script src='/a.js'>{{ view->a }}</script>", "may not stand here"),
        ('<p title="{{{ view->h }}}">', "only stand in the text"),
        ('<a href="/x?{{ view->a in view->l }}">', "no place in an address"),
        ('<a href="/{{_ "Bonjour" }}">', "no place in an address"),
        ("{% if (view->a) { %}<p>", "is not closed"),
        ("{% } %}", "closes nothing"),
        ('{% if (view->a) { %}<p title="{% } %}', "another place of the markup"),
        ("<p", "ends inside a tag"),
        ("1 < 2", "bare <"),
        ("{{ lang view->a }}<p>{{lang view->l }}", "lang stands inside a tag"),
        ("{{static site.css }}", "file name in quotes"),
        ('{{n "un" view->n }}', "both forms"),
        ('<p title="{% call x() %}">', "only stand in the text"),
    ],
)
def test_what_would_be_unsafe_is_refused_with_its_line(compile_template, body, reason):
    error = compile_template(page(body))
    assert "page.html:2: error:" in error
    assert reason in error


def test_text_outside_of_a_template_is_refused(compile_template):
    assert "outside of any template" in compile_template("<p>")


def test_branches_may_write_attributes(compile_template):
    made = compile_template(page("<option{% if (view->a) { %} selected{% } else { %} value='b'{% } %}>x"))
    assert "} else {" in made and "error" not in made


def test_indentation_stays_at_home_but_not_in_preformatted_text(compile_template):
    made = compile_template(page("<ul>\n\t{% if (view->a) { %}\n\t\t<li>a  b</li>\n\t{% } %}\n</ul>\n<pre>\n  x\n</pre>"))
    assert r"<li>a b</li>\n" in made
    assert r"<pre>\n  x\n</pre>" in made


def test_plain_text_keeps_its_lines_and_escapes_nothing(compile_template):
    made = compile_template(
        "{% template mail(const struct view *view) %}\nA < B\n{% if (view->a) { %}\n  {{ view->a }}\n{% } %}\nend\n",
        "mail.txt",
    )
    assert '"A < B\\n"' in made
    assert '"  "' in made and "HTML_PLAIN(out, view->a);" in made
    assert '"\\nend' not in made and '"end\\n"' in made


# --- catalogues ---

HEAD = 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=UTF-8\\n"\n"Plural-Forms: nplurals=2; plural=(n != 1);\\n"\n'


@pytest.fixture
def compile_catalogue(tmp_path):
    def compiled(po, **sources):
        (tmp_path / "en.po").write_text(HEAD + po, encoding="utf-8")
        paths = []
        for name, text in sources.items():
            path = tmp_path / name.replace("_", ".")
            path.write_text(text, encoding="utf-8")
            paths.append(path)
        done = run("compile_locale.py", tmp_path / "out.c", tmp_path / "en.po", "--", *paths)
        return done.returncode, done.stderr or (tmp_path / "out.c").read_text(encoding="utf-8")

    return compiled


@pytest.mark.parametrize(
    "source",
    [
        {"a_html": '{{_ "Bonjour" }}'},
        {"a_html": '{% call x(tr(out->locale, "Bonjour")) %}'},
        {"a_c": 'x = tr(visit->locale, "Bon"\n\t"jour");'},
        {"a_c": 'static const char *w[] = {TR("Bonjour")};'},
        {"a_txt": '{{n "Bonjour" "Bonjours" view->n }}'},
        {"a_c": 'tr_plural(locale, "Bonjour", "Bonjours", n);'},
    ],
)
def test_a_message_without_english_does_not_build(compile_catalogue, source):
    code, error = compile_catalogue('\nmsgid "Salut"\nmsgstr "Hi"\n', **source)
    assert code == 1
    assert ":1: error: no English for" in error and "Bonjour" in error


def test_an_empty_or_fuzzy_translation_counts_as_none(compile_catalogue):
    po = '\nmsgid "Bonjour"\nmsgstr ""\n\n#, fuzzy\nmsgid "Salut"\nmsgstr "Hi"\n'
    code, error = compile_catalogue(po, a_html='{{_ "Bonjour" }}{{_ "Salut" }}')
    assert code == 1
    assert "Bonjour" in error and "Salut" in error


def test_a_translation_takes_the_same_values(compile_catalogue):
    assert compile_catalogue('\nmsgid "%s sur %s"\nmsgstr "%2$s of %1$s"\n')[0] == 0
    assert compile_catalogue('\nmsgid "%s sur %s"\nmsgstr "%s of"\n')[0] == 1
    assert compile_catalogue('\nmsgid "un"\nmsgid_plural "%d"\nmsgstr[0] "one"\nmsgstr[1] "%d"\n')[0] == 0
    assert compile_catalogue('\nmsgid "un"\nmsgid_plural "%d"\nmsgstr[0] "one"\nmsgstr[1] "%d %s"\n')[0] == 1
    assert compile_catalogue('\nmsgid "100 %"\nmsgstr "100 %"\n')[0] == 1


def test_a_comment_in_c_is_no_message(compile_catalogue):
    assert compile_catalogue("", a_c='/* tr(locale, "Bonjour") */')[0] == 0


def test_french_is_spaced_when_compiled(compile_catalogue):
    code, made = compile_catalogue('\nmsgid "Quoi ? « Oui » : non !"\nmsgstr "What?"\n')
    assert code == 0
    assert r"Quoi\342\200\257\077 \302\253\302\240Oui\302\240\302\273\302\240: non\342\200\257!" in made


# --- static files ---


def test_a_static_file_is_named_by_its_content(tmp_path):
    folder = tmp_path / "static"
    folder.mkdir()
    names = []
    for text in ("a{}", "b{}"):
        (folder / "site.css").write_text(text * 100)
        assert run("compile_static.py", folder, tmp_path / "s.c", tmp_path / "s.h").returncode == 0
        names.append((tmp_path / "s.h").read_text().split("#define STATIC_SITE_CSS ")[1].splitlines()[0])
    assert names[0] != names[1]
    assert names[0].startswith('"/static/site.') and names[0].endswith('.css"')


@pytest.mark.parametrize("name", ["page.php", "a.b.css"])
def test_a_file_of_unknown_kind_is_refused(tmp_path, name):
    folder = tmp_path / "static"
    folder.mkdir()
    (folder / name).write_text("x")
    assert run("compile_static.py", folder, tmp_path / "s.c", tmp_path / "s.h").returncode != 0
