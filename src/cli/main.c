/* SPDX-License-Identifier: Apache-2.0 */
/* distem: the command line. */
#include <config.h>

#include <errno.h>
#include <locale.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "distem/topology.h"
#include "options.h"
#include "terminal.h"
#include "text.h"

const struct cli_command cli_commands[] = {
    {"up", cli_up, "make the platform what a topology file says"},
    {"down", cli_down, "take the platform down"},
    {"validate", cli_validate, "check a topology file"},
    {"diff", cli_diff, "show what `up` would change"},
    {"status", cli_status, "show the platform, or one vnode"},
    {"exec", cli_exec, "run a command in a vnode"},
    {"shell", cli_shell, "open a shell in a vnode"},
    {"show", cli_show, "show what vifaces, or the matrix, do to frames"},
    {"set", cli_set, "change what they do to frames, while they run"},
    {"unset", cli_unset, "end what they do to frames"},
    {"verify", cli_verify, "measure the platform against its specification"},
    {"pnode", cli_pnode, "list pnodes, take one in, remove one"},
    {"replan", cli_replan, "plan the platform anew for the pnodes that there are"},
    {"trace", cli_trace, "show the way of a packet, rule by rule"},
    {"doctor", cli_doctor, "say what this machine lacks"},
    {"cleanup", cli_cleanup, "remove what distem left on this machine"},
    {"version", cli_version, "print the versions of distem and of the daemon"},
    {"help", cli_help, "explain a command"},
    {0},
};

const struct cli_command *cli_find_command(const char *name)
{
    for (const struct cli_command *command = cli_commands; command->name; command++) {
        if (!strcmp(command->name, name)) {
            return command;
        }
    }
    return NULL;
}

int cli_unknown_command(const char *name)
{
    const char *names[G_N_ELEMENTS(cli_commands)];
    for (unsigned i = 0; i < G_N_ELEMENTS(cli_commands); i++) {
        names[i] = cli_commands[i].name;
    }
    const char *nearest = nearest_word(name, names);
    if (nearest) {
        cli_complain("there is no command \"%s\": did you mean `distem %s`?", name, nearest);
    } else {
        cli_complain("there is no command \"%s\"\nTry `distem --help`.", name);
    }
    return CLI_USAGE;
}

void cli_print_commands(void)
{
    printf("Usage: distem [OPTION]... COMMAND [ARGUMENT]...\n\n"
           "Emulates a network of virtual nodes on real machines: containers, joined by\n"
           "virtual networks whose every interface has its own latency, bandwidth and loss.\n\n"
           "Commands:\n");
    for (const struct cli_command *command = cli_commands; command->name; command++) {
        printf("  %-10s %s\n", command->name, command->summary);
    }
    printf("\n`distem COMMAND --help` explains a command and its options, and so does its man\n"
           "page: distem-up(1) ... The daemon is asked at DISTEM_URL, or else at\n" DISTEM_DEFAULT_URL ".\n");
}

bool cli_connect(struct cli *cli)
{
    cli->client = distem_open(cli->url, &cli->error);
    if (!cli->client) {
        cli_fail(cli);
    }
    return cli->client;
}

void cli_complain(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *message = g_strdup_vprintf(format, args);
    va_end(args);
    g_autofree char *text = g_strconcat("distem: ", message, NULL);
    unsigned width = terminal_width(stderr);
    g_autofree char *wrapped = width ? text_wrap(text, width - 1, 0) : g_strdup(text);
    fflush(stdout);
    fprintf(stderr, "%sdistem:%s%s\n", terminal_color(stderr, COLOR_RED), terminal_plain(stderr), wrapped + strlen("distem:"));
}

int cli_fail(struct cli *cli)
{
    size_t i;
    json_t *detail;
    if (!strcmp(cli->error.code, "unreachable")) {
        cli_complain("%s: start the daemon with `distemd --detach` or `systemctl start distemd`", cli->error.message);
    } else {
        cli_complain("%s", cli->error.message);
    }
    json_array_foreach (cli->error.details, i, detail) {
        const char *file = cli_string(detail, "file", NULL), *pointer = cli_string(detail, "pointer", NULL);
        int64_t line = cli_integer(detail, "line");
        g_autofree char *place = line ? g_strdup_printf("%" G_GINT64_FORMAT ":", line) : g_strdup("");
        g_autofree char *where = pointer && *pointer ? g_strconcat(pointer, ": ", NULL) : g_strdup("");
        fprintf(stderr, "%s%s%s%s%s%s\n", file ? file : "", file ? ":" : "", place, file || line ? " " : "", where,
                cli_string(detail, "message", ""));
    }
    distem_error_clear(&cli->error);
    return cli->exit_code;
}

int cli_print_json(json_t *value)
{
    json_dumpf(value, stdout, JSON_INDENT(2) | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
    fputc('\n', stdout);
    json_decref(value);
    return CLI_OK;
}

bool cli_read_file(const char *name, char **ret_text, size_t *ret_size)
{
    FILE *file = strcmp(name, "-") ? fopen(name, "rbe") : stdin;
    if (!file) {
        cli_complain("cannot open %s: %s", name, g_strerror(errno));
        return false;
    }
    GString *text = g_string_new(NULL);
    char buffer[65536];
    size_t n;
    while ((n = fread(buffer, 1, sizeof buffer, file)) > 0) {
        g_string_append_len(text, buffer, (gssize)n);
    }
    int errnum = ferror(file) ? errno : 0;
    if (file != stdin) {
        fclose(file);
    }
    if (errnum) {
        cli_complain("cannot read %s: %s", name, g_strerror(errnum));
        g_string_free(text, TRUE);
        return false;
    }
    *ret_size = text->len;
    *ret_text = g_string_free(text, FALSE);
    return true;
}

static bool read_into(const char *name, struct distem_file *ret)
{
    char *text;
    ret->name = name;
    if (!cli_read_file(name, &text, &ret->size)) {
        return false;
    }
    ret->text = text;
    return true;
}

bool cli_read_files(const char *topology, const char *layout, struct cli_files *ret)
{
    *ret = (struct cli_files){0};
    return read_into(topology, &ret->topology) && cli_add_files(&ret->topology) && (!layout || read_into(layout, &ret->layout));
}

void cli_files_clear(struct cli_files *files)
{
    g_free((char *)files->topology.text);
    g_free((char *)files->layout.text);
}

const struct distem_file *cli_files_layout(const struct cli_files *files)
{
    return files->layout.text ? &files->layout : NULL;
}

const char *cli_string(const json_t *object, const char *key, const char *otherwise)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : otherwise;
}

int64_t cli_integer(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

char *cli_labels(const json_t *object)
{
    GString *text = g_string_new(NULL);
    const char *key;
    json_t *value;
    json_object_foreach (json_object_get(object, "labels"), key, value) {
        g_string_append_printf(text, "%s%s=%s", text->len ? "," : "", key, json_string_value(value));
    }
    return g_string_free(text, FALSE);
}

int main(int argc, char **argv)
{
    setlocale(LC_CTYPE, "");
    struct cli cli = {.exit_code = CLI_FAILED};
    bool version = false;
    const struct cli_option options[] = {{"version", 'V', NULL, &version, "print the version"}, {0}};
    const struct cli_usage usage = {"", "COMMAND", "", options, 0, -1, true};
    char **arguments;
    for (int i = 1; i < argc && argv[i][0] == '-'; i++) {
        if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h")) {
            cli_print_commands();
            return CLI_OK;
        }
    }
    int status = cli_parse(&cli, &usage, argc, argv, &arguments);
    if (status != CLI_GO_ON) {
        return status;
    }
    if (version) {
        printf("distem %s\n", distem_version());
        return CLI_OK;
    }
    if (!*arguments) {
        cli_print_commands();
        return CLI_USAGE;
    }
    const struct cli_command *command = cli_find_command(*arguments);
    status = command ? command->run(&cli, (int)g_strv_length(arguments), arguments) : cli_unknown_command(*arguments);
    distem_close(cli.client);
    distem_error_clear(&cli.error);
    if (fflush(stdout) || ferror(stdout)) {
        cli_complain("cannot write to standard output: %s", g_strerror(errno));
        return status ? status : CLI_FAILED;
    }
    return status;
}
