#!/bin/sh
# usage: servers.sh FOLDER
#
# Unpacks Debian's POP3 servers side by side, each with what it needs that is not installed:
# FOLDER/courier, FOLDER/cyrus and so on. Their packages exclude each other, so they cannot be
# installed. Nothing is: the packages are downloaded only, and their scripts do not run. What is
# there already stays. Needs root for the owners of the files, and `apt-get update` before.
set -eu

mkdir -p "${1:?usage: servers.sh FOLDER}"
cd "$1"

# unpack NAME PACKAGE...: the first one's version counts as the server's.
unpack() {
	name=$1
	shift
	test ! -e "$name/version" || return 0
	rm -rf "$name" "$name.deb"
	mkdir -p "$name" "$name.deb/partial"
	apt-get install -q -y --no-install-recommends --download-only --reinstall \
		-o Dir::Cache::archives="$PWD/$name.deb" "$@"
	for package in "$name.deb"/*.deb; do
		dpkg -x "$package" "$name"
	done
	# A folder lib would hide the symbolic link to usr/lib that lies below.
	for dir in bin sbin lib; do
		if test -d "$name/$dir"; then
			mkdir -p "$name/usr/$dir"
			cp -a "$name/$dir/." "$name/usr/$dir/"
			rm -r "${name:?}/$dir"
		fi
	done
	find "$name" -name '*.go' -delete # Guile's; the go command would take them for its own
	dpkg-deb -f "$name.deb/$1"_*.deb Version >"$name.deb/version"
	mv "$name.deb/version" "$name/version"
	rm -r "$name.deb"
}

unpack courier courier-pop courier-authlib-userdb
unpack cyrus cyrus-pop3d cyrus-imapd libsasl2-modules sasl2-bin
unpack mailutils mailutils-pop3d
unpack popa3d popa3d
unpack solid solid-pop3d
unpack perdition perdition
unpack nginx nginx-light libnginx-mod-mail
