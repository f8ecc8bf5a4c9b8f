# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
#
# Debian packages, fetched and unpacked but not installed: for the scripts that
# source it.
#
# apt fetches, from the mirrors that this machine uses already, and checks with
# Debian's keyring; of the machine's settings only the mirrors and the proxies
# are kept.  All of apt's state lies in a folder that the caller names, and can
# delete afterwards, so any release and any architecture can be asked for.  A
# machine has several mirrors (of the releases, of their security updates), and
# which of them has the wanted release is found out by asking each; that some
# have not is no error.  Errors show in what cannot be downloaded.

DEBIAN_KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg

# Whether this machine can do it at all; says why not.
debian_usable() {
	if ! command -v apt-get >/dev/null || ! command -v dpkg >/dev/null; then
		echo "this is not a Debian system"
		return 1
	elif [ ! -e "$DEBIAN_KEYRING" ]; then
		echo "there is no $DEBIAN_KEYRING to check a download with"
		return 1
	fi
}

debian_config() {	# DIR ARCHITECTURE
	cat <<-END
		Dir::State "$1";
		Dir::State::lists "$1/lists";
		Dir::State::status "$1/status";
		Dir::Cache "$1";
		Dir::Etc::sourcelist "$1/sources";
		Dir::Etc::sourceparts "/dev/null";
		Dir::Etc::parts "/dev/null";
		Dir::Etc::main "/dev/null";
		Dir::Etc::preferences "/dev/null";
		Dir::Etc::preferencesparts "/dev/null";
		APT::Sandbox::User "root";
		APT::Architecture "$2";
		APT::Architectures { "$2"; };
		Acquire::Languages "none";
	END
	apt-config dump Acquire::http Acquire::https
}

# What stands before /dists/ in the machine's sources, of either format; apt reads them.
debian_mirrors() {
	apt-get update --print-uris | sed -n "s,^'\(.*\)/dists/[^']*/InRelease' .*,\1,p" | awk '!seen[$0]++'
}

# Make DIR anew and fetch the package lists of a release into it.  OPTIONS are of sources.list(5).
debian_open() {		# DIR ARCHITECTURE RELEASE [OPTIONS]
	local mirror
	rm -rf "$1"
	mkdir -p "$1/lists/partial" "$1/archives/partial"
	: >"$1/status"
	debian_config "$1" "$2" >"$1/apt.conf"
	debian_mirrors | while read -r mirror; do
		echo "deb [signed-by=$DEBIAN_KEYRING ${4:-}] $mirror $3 main"
	done >"$1/sources"
	APT_CONFIG=$1/apt.conf apt-get -q update || true
}

# The packages that PACKAGE depends on, itself among them, whose name matches an extended regular expression.
debian_depends() {	# DIR PACKAGE PATTERN
	APT_CONFIG=$1/apt.conf apt-cache depends --recurse --important "$2" | grep -E "^($3)\$"
}

# Download packages and unpack them into ROOT.
debian_unpack() {	# DIR ROOT PACKAGE…
	local package root=$2 dir=$1
	shift 2
	mkdir -p "$root"
	(
		cd "$dir" &&
		APT_CONFIG=$dir/apt.conf apt-get -q download "$@"
	) || return
	for package in "$dir"/*.deb; do
		dpkg -x "$package" "$root" || return
		rm "$package"
	done
}
