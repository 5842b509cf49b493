#!/bin/sh
# check_toolchain.sh PKG-CONFIG-NAME… - says what is missing before a compiler says it badly.
#
# libevent's floor is a security matter: before +deb12u1 it let requests be smuggled and
# headers be truncated. Other systems than Debian patch under other numbers and are not judged.

floor=2.1.12-stable-8+deb12u1
missing=
for package in "$@"; do
	pkg-config --exists "$package" 2>/dev/null || missing="$missing $package"
done
for program in protoc-c /usr/bin/python3 pkg-config; do
	command -v "$program" >/dev/null || missing="$missing $program"
done
if [ -n "$missing" ]; then
	echo "missing:$missing; \`make install\` installs what Debian 12 has for them" >&2
	exit 1
fi

command -v dpkg-query >/dev/null || exit 0
found=$(dpkg-query -W -f '${Version}' libevent-dev 2>/dev/null) || exit 0
[ -n "$found" ] || exit 0
dpkg --compare-versions "$found" ge "$floor" || {
	echo "libevent-dev is $found, and $floor closes holes in it; to upgrade: apt-get update && apt-get install libevent-dev" >&2
	exit 1
}
