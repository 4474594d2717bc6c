/* SPDX-License-Identifier: Apache-2.0 */
/* The command line: a table of commands, each in a file of its own, over libdistem. */
#ifndef DISTEM_CLI_H
#define DISTEM_CLI_H 1

#include <glib.h>

#include "distem/client.h"

enum cli_exit {
    CLI_OK = 0,
    CLI_FAILED = 1,
    CLI_USAGE = 2,
    CLI_EXEC_FAILED = 125, /* exec, shell: distem failed, not the command. As env(1) and timeout(1) have it. */
    CLI_INTERRUPTED = 130,
};

/* What all commands have in common. */
struct cli {
    const char *url; /* NULL: the default. */
    bool json, quiet;
    int exit_code; /* For `cli->exit_code` of failures: CLI_FAILED, or what the command sets. */
    struct distem *client;
    struct distem_error error; /* Of the last call. */
};

struct cli_command {
    const char *name;
    int (*run)(struct cli *, int argc, char **argv); /* argv[0] is the command's name. Returns the exit code. */
    const char *summary;                             /* One line for `distem --help`. */
};

/* Ends with a zero entry. */
extern const struct cli_command cli_commands[];

int cli_up(struct cli *, int argc, char **argv);
int cli_down(struct cli *, int argc, char **argv);
int cli_validate(struct cli *, int argc, char **argv);
int cli_diff(struct cli *, int argc, char **argv);
int cli_status(struct cli *, int argc, char **argv);
int cli_exec(struct cli *, int argc, char **argv);
int cli_shell(struct cli *, int argc, char **argv);
int cli_verify(struct cli *, int argc, char **argv);
int cli_pnode(struct cli *, int argc, char **argv);
int cli_replan(struct cli *, int argc, char **argv);
int cli_show(struct cli *, int argc, char **argv);
int cli_set(struct cli *, int argc, char **argv);
int cli_unset(struct cli *, int argc, char **argv);
int cli_trace(struct cli *, int argc, char **argv);
int cli_doctor(struct cli *, int argc, char **argv);
int cli_cleanup(struct cli *, int argc, char **argv);
int cli_version(struct cli *, int argc, char **argv);
int cli_help(struct cli *, int argc, char **argv);

/* Returns the command of that name, or NULL. */
const struct cli_command *cli_find_command(const char *name);
/* Prints "distem: no command "NAME"" with the nearest one, and returns CLI_USAGE. */
int cli_unknown_command(const char *name);
/* Prints the list of commands. */
void cli_print_commands(void);

/* Opens cli->client. Returns false after printing why not. */
bool cli_connect(struct cli *);
/* Prints "distem: " and a sentence on standard error. */
void cli_complain(const char *format, ...) G_GNUC_PRINTF(1, 2);
/* Prints cli->error with its details, and what to do about it when that is known; frees it. Returns the exit code. */
int cli_fail(struct cli *);
/* Prints 'value' as JSON. Consumes it. Returns CLI_OK. */
int cli_print_json(json_t *value);
/* Reads the file 'name', "-" for standard input, as it is. Returns false after printing why not. The caller frees the text. */
bool cli_read_file(const char *name, char **ret_text, size_t *ret_size);

/* Adds the files that 'topology' names, with traces and tables of jitter, as "traces" and "tables" to its text, unless it has its
 * own: in its first line, so that all lines keep their numbers. They are searched for in the topology's folder, for standard
 * input in the present one, and cannot lie outside. Returns false after printing why not. */
bool cli_add_files(struct distem_file *topology);
/* Returns those traces that the change of a viface names and that are files of the current folder, names with arrays of lines; NULL
 * after printing what is wrong with one. A new reference. */
json_t *cli_traces_here(const json_t *change);

/* A topology and, unless layout.text is NULL, its layout, as they were read. */
struct cli_files {
    struct distem_file topology, layout;
};
/* Reads the file 'topology' and the file 'layout' (NULL: none). Returns false after printing why not. The caller calls
 * cli_files_clear(), also then. */
bool cli_read_files(const char *topology, const char *layout, struct cli_files *ret);
void cli_files_clear(struct cli_files *);
/* Returns the layout, or NULL. */
const struct distem_file *cli_files_layout(const struct cli_files *);
/* The option for it. */
#define CLI_LAYOUT_OPTION(RET)                                                                                                     \
    {                                                                                                                              \
        "layout", 'l', "FILE", RET, "a file that says how this site joins the vnetworks"                                           \
    }

/* Shorthands for answers: a string, or 'otherwise' when there is none; a number, or 0. */
const char *cli_string(const json_t *object, const char *key, const char *otherwise);
int64_t cli_integer(const json_t *object, const char *key);
/* Returns the labels of 'object', a vnode or a pnode, as "rack=a,site=paris"; "" for none. The caller frees. */
char *cli_labels(const json_t *object);

#endif
