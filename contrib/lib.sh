# SPDX-License-Identifier: ISC
# Shared by contrib/quickstart and contrib/check: messages, and installing what is missing.

say() {
	printf '\n\033[1m== %s\033[0m\n' "$*" | if [ -t 1 ]; then cat; else sed 's/\x1b\[[0-9;]*m//g'; fi
}

die() {
	printf '%s: %s\n' "$(basename "$0")" "$*" >&2
	exit 1
}

# install_for PURPOSE...: installs the missing packages of contrib/packages, as root or by sudo.
install_for() {
	command -v dpkg-query >/dev/null ||
		die "installs packages on Debian and Ubuntu only; elsewhere install what contrib/packages lists and set OCSPRELAY_NO_INSTALL=1"
	[ -z "${OCSPRELAY_NO_INSTALL:-}" ] || return 0
	local purpose missing="" package
	for purpose in "$@"; do
		for package in $(sed -n "s/^$purpose  *//p" contrib/packages); do
			dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' ||
				missing="$missing $package"
		done
	done
	[ -n "$missing" ] || return 0
	local sudo=""
	if [ "$(id -u)" -ne 0 ]; then
		command -v sudo >/dev/null || die "these packages are missing, and only root can install them:$missing"
		sudo=sudo
	fi
	say "installing$missing"
	$sudo apt-get update -qq
	# shellcheck disable=SC2086
	without_services "$sudo" \
		$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
}

# without_services SUDO COMMAND...: what COMMAND installs is not started: servers are here to be
# tested with, each by the test that needs it. (invoke-rc.d(8), policy-rc.d)
without_services() {
	local sudo=$1 policy=/usr/sbin/policy-rc.d status=0
	shift
	if [ -e "$policy" ]; then
		"$@"
		return
	fi
	printf '#!/bin/sh\nexit 101\n' | $sudo tee "$policy" >/dev/null
	$sudo chmod 755 "$policy"
	"$@" || status=$?
	$sudo rm -f "$policy"
	return $status
}
