#!/bin/sh
# SPDX-License-Identifier: ISC
# The manuals as mandoc sees them, and every option, command, metric and reason of the tables in them.
# usage: manuals.sh BUILD-TREE
set -eu
cd "$(dirname "$0")/../.."
build=$1
mandoc -Tlint -W warning "$build/doc/ocsprelay.8" "$build/doc/ocsprelay.conf.5"
status=0
need() { # PAGE WORD
	grep -qF -- "$2" "$build/doc/$1" || { echo "$1: $2 is missing"; status=1; }
}
for word in $(sed -n 's/^OPTION(\([a-z_]*\),.*/\1/p' include/tbl/options.h); do
	need ocsprelay.conf.5 ".It Cm $word"
	grep -qw "$word" etc/ocsprelay.conf || { echo "etc/ocsprelay.conf: $word is missing"; status=1; }
done
for word in $(sed -n 's/^METRIC([A-Z_]*, "\([a-z_]*\)".*/\1/p' include/tbl/counters.h); do
	need ocsprelay.8 "ocsprelay_$word"
done
for word in $(sed -n 's/^COMMAND(\([a-z]*\),.*/\1/p' include/tbl/commands.h); do
	need ocsprelay.8 ".It Cm $word"
done
for word in $(sed -n 's/^ERROR([A-Z_0-9]*, *"\([a-z0-9-]*\)".*/\1/p' include/tbl/errors.h); do
	need ocsprelay.8 ".It Li $word"
done
for word in $(sed -n 's/^ODDITY([A-Z_]*, "\([a-z_]*\)".*/\1/p' include/tbl/oddities.h); do
	need ocsprelay.8 ".It Li $word"
done
exit $status
