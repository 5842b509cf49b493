"""
Folded text and slugs, as services/lib/text.c makes them: the demo site's addresses must be those
the topics service would have given. tests/integration/test_run.py compares the two.
"""
import re
import unicodedata

SLUG_LIMIT = 100
SPELLED_OUT = str.maketrans({"œ": "oe", "æ": "ae", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i"})


def plain_fold(text):
    """Case folded, without accents: "Cœur d’Été" is "coeur d’ete"."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in apart if unicodedata.category(c) != "Mn").translate(SPELLED_OUT)


def _cut_at_word(slug):
    if len(slug) <= SLUG_LIMIT:
        return slug
    return slug[:SLUG_LIMIT + 1].rpartition("-")[0] or slug[:SLUG_LIMIT]


def slug(title):
    words = re.findall(r"[a-z0-9]+|&", plain_fold(title))
    return _cut_at_word("-".join("et" if word == "&" else word for word in words)) or "sujet"
