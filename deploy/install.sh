#!/bin/sh
# install.sh GROUP… - installs what deploy/packages.txt lists in these groups and is not there.
#
# Says nothing when nothing is missing; then it neither needs rights nor asks a mirror. What it
# cannot do it says in one line, and exits 1. Services that come with a package (PostgreSQL,
# Redis, supervisor, nginx) are neither started nor enabled: Causerie starts its own, under var/.

set -u
list=$(dirname "$0")/packages.txt

refuse() {
	echo "causerie: $*" >&2
	exit 1
}

# "package floor" of the groups asked for
wanted() {
	for group in "$@"; do
		awk -v group="$group" '$1 == group { print $2, $3 }' "$list"
	done
}

# "package version" of what is installed
installed() {
	dpkg-query -W -f '${binary:Package} ${db:Status-Status} ${Version}\n' 2>/dev/null | sed -n 's/^\([^ :]*\)[^ ]* installed /\1 /p'
}

# The packages that are not installed, and those that are older than their floor.
missing() {
	{ installed; echo; wanted "$@"; } | awk '
		/^$/ { asked = 1; next }
		!asked { version[$1] = $2; next }
		!($1 in version) { print $1, "none", $2; next }
		$2 != "" { print $1, version[$1], $2 }' |
	while read -r package version floor; do
		[ "$version" != none ] && dpkg --compare-versions "$version" ge "$floor" 2>/dev/null || echo "$package $floor"
	done
}

# Runs a command that needs root, by sudo where we are not.
as_root() {
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	else
		sudo "$@"
	fi
}

# A package's service is not ours: policy-rc.d keeps it from starting, and it stays off at boot.
forbid_services() {
	[ -e /usr/sbin/policy-rc.d ] && return
	printf '#!/bin/sh\nexit 101\n' | as_root sh -c 'cat > /usr/sbin/policy-rc.d && chmod 755 /usr/sbin/policy-rc.d'
	trap 'as_root rm -f /usr/sbin/policy-rc.d' EXIT
	trap 'exit 1' INT TERM
}

disable_services() {
	[ -d /run/systemd/system ] || return 0
	for service in postgresql redis-server supervisor nginx; do
		case " $* " in
		*" $service "*) as_root systemctl disable --quiet "$service" ;;
		esac
	done
}

if ! command -v dpkg-query >/dev/null; then
	echo "causerie: this is no Debian, so nothing is installed here; deploy/packages.txt says what is needed" >&2
	exit 0
fi
packages=$(missing "$@" | cut -d ' ' -f 1 | sort -u | tr '\n' ' ')
[ -n "$packages" ] || exit 0

if [ "$(id -u)" -ne 0 ]; then
	command -v sudo >/dev/null || refuse "these packages are missing, and neither root nor sudo is there to install them: $packages"
	sudo -n true 2>/dev/null || [ -t 0 ] || refuse "these packages are missing, and sudo wants a password: $packages"
fi
echo "Installing: $packages"
log=$(mktemp) || refuse "cannot write a temporary file"
forbid_services
for step in "update -q" "install -q -y --no-install-recommends $packages"; do
	# shellcheck disable=SC2086 # a list of words
	as_root env DEBIAN_FRONTEND=noninteractive apt-get $step >"$log" 2>&1 || {
		reason=$(grep -E '^(E|W|dpkg):' "$log" | grep '^E' | head -n 1)
		refuse "apt-get ${step%% *} failed: ${reason:-see $log}; the whole output is in $log"
	}
done
rm -f "$log"
# shellcheck disable=SC2086
disable_services $packages
old=$(missing "$@" | tr '\n' ' ')
[ -z "$old" ] || refuse "apt-get has no recent enough $old(an older one lets requests be smuggled); add Debian's security updates to apt's sources"
