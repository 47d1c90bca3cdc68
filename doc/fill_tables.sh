#!/bin/sh
# SPDX-License-Identifier: ISC
# fill_tables.sh PRINT_TABLES PAGE.in: replaces each line "@tables WORDS@" by what
# "PRINT_TABLES WORDS" prints.
set -eu
print=$1
while IFS= read -r line || [ -n "$line" ]; do
	case $line in
	"@tables "*"@")
		words=${line#@tables }
		# shellcheck disable=SC2086
		"$print" ${words%@}
		;;
	*) printf '%s\n' "$line" ;;
	esac
done <"$2"
