#!/bin/sh
# SPDX-License-Identifier: ISC
# .clang-format decides layout. Versions of clang-format differ in what they make of it, so only the
# one that the tree was formatted with is asked.
set -eu
cd "$(dirname "$0")/../.."
version=$(clang-format --version 2>/dev/null | grep -o 'version [0-9]*' || true)
if [ "$version" != "version 14" ]; then
	echo "skipped: the tree is formatted with clang-format 14, here is ${version:-none}"
	exit 0
fi
find src tests bench doc contrib \( -name '*.c' -o -name '*.h' \) -exec clang-format --dry-run -Werror {} +
