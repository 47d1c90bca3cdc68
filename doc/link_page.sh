#!/bin/sh
# SPDX-License-Identifier: ISC
# link_page.sh doc/ocsprelay-COMMAND.SECTION: prints what makes that name lead to the page which tells
# of the command (man(7), .so), which has to be of the same section.
set -eu
cd "$(dirname "$0")"
name=${1##*/}
command=${name#ocsprelay-}
page=$(grep -l "^@tables command ${command%.*}@" ./*.[1-8].in) || page=
page=${page#./}
page=${page%.in}
section=${name##*.}
if [ "${page##*.}" != "$section" ]; then
	echo "$1: of this section no page has @tables command ${command%.*}@" >&2
	exit 1
fi
printf '.so man%s/%s\n' "$section" "$page"
