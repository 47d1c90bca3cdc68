#!/bin/sh
# SPDX-License-Identifier: ISC
# Files as arrays of C, declared in ctl/status_page.h: status.html gives page_status_html.
# usage: embed.sh FILE...
set -eu
echo '/* SPDX-License-Identifier: ISC */'
echo '/* Made by src/ctl/page/embed.sh. */'
echo '#include "ctl/status_page.h"'
for file; do
	name=page_$(basename "$file" | tr . _)
	echo "const unsigned char $name[] = {"
	od -A n -v -t x1 "$file" | sed 's/ *\([0-9a-f][0-9a-f]\)/0x\1,/g'
	echo '};'
	echo "const size_t ${name}_len = sizeof($name);"
done
