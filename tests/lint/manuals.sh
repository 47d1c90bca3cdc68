#!/bin/sh
# SPDX-License-Identifier: ISC
# The manuals as mandoc sees them, and every option, command, metric, label, event, oddity and reason
# of the tables in them.
# usage: manuals.sh BUILD-TREE
set -eu
cd "$(dirname "$0")/../.."
build=$1
status=0

pages=""
for page in doc/*.[1-8].in; do
	pages="$pages $build/${page%.in}"
	grep -qF "	${page%.in}" Makefile.am || { echo "Makefile.am: ${page%.in} is missing in man_pages"; status=1; }
done
# shellcheck disable=SC2086
mandoc -Tlint -W warning $pages || status=1

fault() {
	echo "$*"
	status=1
}
need() { # PAGE LINE
	grep -qF -- "$2" "$build/doc/$1" || fault "$1: $2 is missing"
}
names_of() { # REGEX FILE: what the first group matches
	sed -n "s/^$1.*/\\1/p" "include/tbl/$2"
}

for word in $(names_of 'OPTION(\([a-z_]*\),' options.h); do
	need ocsprelay.conf.5 ".It Cm $word"
	grep -qw "$word" etc/ocsprelay.conf || fault "etc/ocsprelay.conf: $word is missing"
done
needed() { # TABLE REGEX PAGE BEGIN: for each name of the table, BEGINname is in the page
	for word in $(names_of "$2" "$1"); do
		need "$3" "$4$word"
	done
}
needed counters.h 'METRIC([A-Z_]*, "\([a-z_]*\)"' ocsprelay-metrics.7 ocsprelay_
needed process.h 'PROCESS([a-z_]*, "\([a-z_]*\)"' ocsprelay-metrics.7 ".It Va "
needed events.h 'EVENT([A-Z_]*, "\([a-z-]*\)"' ocsprelay-log.7 ".It Li "
needed fields.h 'FIELD(\([a-z_]*\),' ocsprelay-log.7 ".It Li "
needed errors.h 'ERROR([A-Z_0-9]*, *"\([a-z0-9-]*\)"' ocsprelay-log.7 ".It Li "
needed oddities.h 'ODDITY([A-Z_]*, "\([a-z_]*\)"' ocsprelay-log.7 ".It Li "
for word in $(names_of 'LABEL([A-Z_]*, [A-Z_]*, "\([a-z_]*\)"' labels.h); do
	grep -qw -- "$word" "$build/doc/ocsprelay-metrics.7" || fault "ocsprelay-metrics.7: $word is missing"
done

# A command is named in ocsprelay(8), and told of on one page, where its row fills synopsis and options,
# and to which a page of its name leads.
for word in $(names_of 'COMMAND(\([a-z]*\),' commands.h); do
	need ocsprelay.8 ".It Cm $word"
	for tables in "command $word@" "synopsis .*\\<$word\\>"; do
		n=$(cat doc/*.in | grep -c "^@tables $tables") || true
		[ "$n" = 1 ] || fault "include/tbl/commands.h: $word: $n pages of doc have @tables $tables"
	done
	grep -q "^	doc/ocsprelay-$word\\.[1-8]\\( \\|\$\\)" Makefile.am || fault "Makefile.am: ocsprelay-$word is missing in man_links"
done
# shellcheck disable=SC2013
for word in $(sed -n 's/^	*" .*\(--[a-z-]*\).*/\1/p' include/tbl/commands.h | sort -u); do
	# shellcheck disable=SC2086
	grep -qF -- "$(echo "$word" | sed 's/-/\\-/g')" $pages || fault "$word of include/tbl/commands.h is in no manual"
done

# Pages name only pages that there are.
# shellcheck disable=SC2013
for word in $(sed -n 's/^\.Xr \(ocsprelay[^ ]*\) \([1-8]\).*/\1.\2/p' doc/*.in | sort -u); do
	[ -e "doc/$word.in" ] || fault "a manual refers to $word, which there is not"
done
exit $status
