#!/usr/bin/env python3
"""Compiles a folder of static files into C byte arrays, each named by its content.

    compile_static.py FOLDER OUT.c OUT.h

Every file is served as /static/<stem>.<hash><suffix>, so it may be cached for ever; its gzip form
is made here, once, and kept only where it is smaller. The header defines STATIC_SITE_CSS and the
like for templates, and static_find() for the server.
"""

import gzip
import hashlib
import pathlib
import re
import sys

TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".txt": "text/plain; charset=utf-8",
    ".webmanifest": "application/manifest+json",
}

HEADER = """\
/* {name} - static files, compiled in; do not edit. */
#ifndef {guard}
#define {guard}

#include <stdbool.h>
#include <stddef.h>

struct static_file {{
	const char *url; /* "/static/site.1a2b3c4d5e.css" */
	const char *type;
	const char *etag; /* quoted, of the plain form */
	const unsigned char *bytes;
	size_t size;
	const unsigned char *gzip; /* NULL where it would not be smaller */
	size_t gzip_size;
}};

extern const struct static_file static_files[];
extern const size_t n_static_files;

/*
 * The file at a path, or NULL. During an upgrade a page of the other version may
 * ask for the other version's hash: it gets this version's file, and *current
 * says whether the hash was ours and the answer may be cached for ever.
 */
const struct static_file *static_find(const char *path, bool *current);

{macros}

#endif
"""

FIND = """
/* "/static/site.1a2b3c4d5e.css" is stem "/static/site", hash, and suffix ".css". */
static bool same_but_hash(const char *url, const char *path)
{
	const char *hash = strchr(url, '.');
	const char *suffix = strrchr(url, '.');
	size_t stem = (size_t)(hash - url) + 1;
	size_t size = strlen(path);
	size_t tail = strlen(suffix);

	return size >= stem + tail && strncmp(url, path, stem) == 0 &&
	       strcmp(path + size - tail, suffix) == 0 && strchr(path + stem, '/') == NULL;
}

const struct static_file *static_find(const char *path, bool *current)
{
	size_t i;

	for (i = 0; i < n_static_files; i++) {
		*current = strcmp(static_files[i].url, path) == 0;
		if (*current || same_but_hash(static_files[i].url, path))
			return &static_files[i];
	}
	return NULL;
}
"""


def array(name, data):
    rows = [
        "\t" + " ".join(f"0x{byte:02x}," for byte in data[at : at + 16])
        for at in range(0, len(data), 16)
    ]
    return f"static const unsigned char {name}[] = {{\n" + "\n".join(rows) + "\n};\n"


def main():
    if len(sys.argv) != 4:
        sys.exit("usage: compile_static.py FOLDER OUT.c OUT.h")
    folder, out_c, out_h = (pathlib.Path(argument) for argument in sys.argv[1:])
    arrays, entries, macros = [], [], []
    for path in sorted(p for p in folder.iterdir() if p.is_file()):
        if path.suffix not in TYPES or "." in path.stem or path.stat().st_size == 0:
            sys.exit(f"{path}: error: not a static file we know how to serve")
        data = path.read_bytes()
        packed = gzip.compress(data, compresslevel=9, mtime=0)
        digest = hashlib.sha256(data).hexdigest()[:10]
        url = f"/static/{path.stem}.{digest}{path.suffix}"
        name = re.sub(r"\W", "_", path.name)
        arrays.append(array(name, data))
        smaller = len(packed) < len(data)
        if smaller:
            arrays.append(array(name + "_gzip", packed))
        macros.append(f'#define STATIC_{name.upper()} "{url}"')
        entries.append(
            f'\t{{"{url}", "{TYPES[path.suffix]}", "\\"{digest}\\"", {name}, sizeof({name}), '
            + (f"{name}_gzip, sizeof({name}_gzip)}}," if smaller else "NULL, 0},")
        )
    guard = re.sub(r"\W", "_", out_h.name).upper()
    out_h.write_text(HEADER.format(name=out_h.name, guard=guard, macros="\n".join(macros)))
    out_c.write_text(
        f"/* {out_c.name} - static files, compiled in; do not edit. */\n"
        f'#include "{out_h.name}"\n\n#include <string.h>\n\n'
        + "\n".join(arrays)
        + "\nconst struct static_file static_files[] = {\n"
        + "\n".join(entries)
        + "\n};\n\nconst size_t n_static_files = sizeof(static_files) / sizeof(*static_files);\n"
        + FIND
    )


if __name__ == "__main__":
    main()
