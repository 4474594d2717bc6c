/* SPDX-License-Identifier: Apache-2.0 */
/* Options of commands: parsed by getopt_long(3), with their help made from the same table. */
#ifndef DISTEM_CLI_OPTIONS_H
#define DISTEM_CLI_OPTIONS_H 1

#include "cli.h"

struct cli_option {
    const char *name;     /* Long. */
    char letter;          /* Short; 0: none. */
    const char *argument; /* What its value is called in the help; NULL: it takes none. */
    void *ret;            /* Without an argument: a bool, set to true. With one: a const char *. */
    const char *help;
};

/* A command's usage. */
struct cli_usage {
    const char *name;
    const char *arguments;            /* "FILE|-"; "" for none. */
    const char *text;                 /* What it does: a paragraph or more. */
    const struct cli_option *options; /* Ends with a zero entry; the common ones need not be named. NULL: none. */
    int min_arguments, max_arguments; /* max < 0: any number. */
    bool in_order;                    /* Options end at the first argument, which is another program's command line. */
};

enum { CLI_GO_ON = -1 };

/* Parses, sets what the options say in 'cli' and through their 'ret'. Returns CLI_GO_ON with the arguments that are no options in
 * '*ret_arguments' (NULL-terminated; part of 'argv'); or an exit code when the help was asked for and printed, or after a
 * complaint. */
int cli_parse(struct cli *cli, const struct cli_usage *usage, int argc, char **argv, char ***ret_arguments);

#endif
