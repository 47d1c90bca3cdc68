/* SPDX-License-Identifier: ISC */
/* Names in the configuration that nobody knows, and what may have been meant. */
#ifndef OCSPRELAY_CTL_CONFIG_UNKNOWN_H
#define OCSPRELAY_CTL_CONFIG_UNKNOWN_H

#include "ctl/config_scan.h"

/* Reports a name that no option or section of this section has; its token comes next. */
void config_unknown_report(const struct config_scan *scan, const struct option_section *section,
			   const char *name);

#endif
