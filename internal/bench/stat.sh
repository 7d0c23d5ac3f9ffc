#!/bin/bash
# usage: stat.sh [BASE]
#
# Compares the Go benchmarks of the working tree with those of BASE, a commit or a tag: the last tag
# by default; without any, the last commit, or the one before it if nothing has changed since. They
# take turns, so that whatever else keeps the machine busy slows down both.
#
# BENCH chooses among them, as go test -bench does; LONG=1 adds those of a million messages.
set -eu -o pipefail

packages=(fetch/pop3 fetch uidl deliver)
rounds=6
skip=/1000000
test -z "${LONG-}" || skip=

default() {
	git describe --tags --abbrev=0 2>/dev/null && return
	if git diff --quiet HEAD; then echo HEAD~1; else echo HEAD; fi
}

# build TREE NAME
build() {
	(cd "$1" && CGO_ENABLED=0 "${GO:-go}" test -c -o "$out/$2/" "${packages[@]/#/./}")
}

# run TREE NAME PACKAGE
run() {
	cd "$1/$3"
	"$out/$2/${3##*/}.test" -test.run '^$' -test.bench "${BENCH:-.}" -test.skip "$skip" \
		-test.benchtime 0.2s -test.benchmem >>"$out/$2.txt"
	cd "$work"
}

work=$PWD
out=$work/build/benchstat
base=$(git rev-parse --short "${1:-$(default)}^{commit}")
rm -rf "$out"
mkdir -p "$out/tree"
trap 'rm -rf "$out/tree"' EXIT # which linters would go through
git archive "$base" | tar -x -C "$out/tree"
build "$out/tree" "$base"
build "$work" now
for ((round = 1; round <= rounds; round++)); do
	echo "round $round of $rounds" >&2
	for package in "${packages[@]}"; do
		run "$out/tree" "$base" "$package"
		run "$work" now "$package"
	done
done
CGO_ENABLED=0 "${GO:-go}" tool -modfile=tools.mod benchstat -row .fullname@alpha "$base=$out/$base.txt" "now=$out/now.txt"
