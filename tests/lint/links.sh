#!/bin/sh
# SPDX-License-Identifier: ISC
# Documents refer to files, sections and manuals that there are. Alerts lead to sections of the handbook.
# shellcheck disable=SC2013 # no name has blanks
set -eu
cd "$(dirname "$0")/../.."
status=0
fault() {
	echo "$*"
	status=1
}

# The anchors of a document's headings, as repository hosts make them.
anchors_of() {
	sed -n 's/^##* //p' "$1" | tr '[:upper:]' '[:lower:]' | sed 's/[^a-z0-9 _-]//g; s/ /-/g'
}

check() { # DOCUMENT FILE ANCHOR: where it refers to
	[ -e "$2" ] || { fault "$1: there is no $2"; return; }
	[ -z "$3" ] || anchors_of "$2" | grep -qxF -- "$3" || fault "$1: $2 has no section #$3"
}

documents=$(find . -name '*.md' -not -path './build*' -not -path './.git/*' | sort)
for document in $documents; do
	for link in $(grep -o '](\([^) ]*\))' "$document" | sed 's/^](//; s/)$//' | sort -u); do
		case $link in
		*://*) continue ;;
		"#"*) check "$document" "$document" "${link#\#}" ;;
		*"#"*) check "$document" "$(dirname "$document")/${link%%#*}" "${link#*#}" ;;
		*) check "$document" "$(dirname "$document")/$link" "" ;;
		esac
	done
	for page in $(grep -o 'ocsprelay[-.a-z]*([1-8])' "$document" | sed 's/(\(.\))/.\1/' | sort -u); do
		[ -e "doc/$page.in" ] || fault "$document: there is no manual $page"
	done
done
for link in $(sed -n 's/^ *handbook: "\(.*\)"$/\1/p' contrib/prometheus/*.rules.yml | sort -u); do
	check contrib/prometheus "${link%%#*}" "${link#*#}"
done
exit $status
