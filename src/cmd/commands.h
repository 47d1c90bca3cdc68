/* SPDX-License-Identifier: ISC */
/*
 * The subcommands: one function per row of tbl/commands.h. main calls them with argv[0] being the
 * subcommand's name; what they return is the exit status of the program.
 */
#ifndef OCSPRELAY_CMD_COMMANDS_H
#define OCSPRELAY_CMD_COMMANDS_H

enum command_exit {
	EXIT_OK = 0,
	EXIT_NO = 1,	    /* revoked, or "something is wrong" where the command is a question */
	EXIT_UNKNOWN = 2,   /* the status is unknown */
	EXIT_NO_ANSWER = 3, /* could not find out */
	EXIT_USAGE = 64,
	EXIT_CONFIG = 78
};

#define COMMAND(name, arguments, text, help) int cmd_##name(int argc, char **argv);
#include "tbl/commands.h"
#undef COMMAND

#endif
