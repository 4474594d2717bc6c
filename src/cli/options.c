/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "options.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "distem/topology.h"
#include "text.h"

#define HELP_COLUMN 24 /* Where the explanations of options begin. */
#define HELP_WIDTH 80

static void print_option(const struct cli_option *option)
{
    g_autofree char *letter = option->letter ? g_strdup_printf("-%c,", option->letter) : g_strdup("");
    g_autofree char *left = g_strdup_printf("  %-3s --%s%s%s", letter, option->name, option->argument ? " " : "",
                                            option->argument ? option->argument : "");
    g_autofree char *help = text_wrap(option->help, HELP_WIDTH - HELP_COLUMN, HELP_COLUMN);
    if (strlen(left) > HELP_COLUMN - 2) {
        printf("%s\n%*s%s\n", left, HELP_COLUMN, "", help);
    } else {
        printf("%-*s%s\n", HELP_COLUMN, left, help);
    }
}

static void print_help(const struct cli_usage *usage, const struct cli_option *common)
{
    printf("Usage: distem %s%s[OPTION]...%s%s\n\n", usage->name, *usage->name ? " " : "", *usage->arguments ? " " : "",
           usage->arguments);
    g_autofree char *text = text_wrap(usage->text, HELP_WIDTH, 0);
    printf("%s\n", text);
    if (usage->options && usage->options->name) {
        printf("\nOptions:\n");
        for (const struct cli_option *option = usage->options; option->name; option++) {
            print_option(option);
        }
    }
    printf("\nCommon options:\n");
    for (; common->name; common++) {
        print_option(common);
    }
}

/* Appends 'options' to the two lists in which getopt_long(3) and we look them up. */
static void collect(const struct cli_option *options, GArray *longs, GPtrArray *all, GString *letters)
{
    for (; options && options->name; options++) {
        struct option entry = {.name = options->name, .has_arg = options->argument ? required_argument : no_argument};
        entry.val = (int)all->len + 256;
        g_array_append_val(longs, entry);
        g_ptr_array_add(all, (gpointer)options);
        if (options->letter) {
            g_string_append_printf(letters, "%c%s", options->letter, options->argument ? ":" : "");
        }
    }
}

static const struct cli_option *find_option(const GPtrArray *all, int value)
{
    for (unsigned i = 0; i < all->len; i++) {
        const struct cli_option *option = all->pdata[i];
        if (value == (int)i + 256 || value == option->letter) {
            return option;
        }
    }
    return NULL;
}

static int complain_usage(const struct cli_usage *usage, const char *problem)
{
    cli_complain("%s%s%s\nTry `distem %s%s--help`.", usage->name, *usage->name ? ": " : "", problem, usage->name,
                 *usage->name ? " " : "");
    return CLI_USAGE;
}

static const char *nearest_option(const GPtrArray *all, const char *name)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    for (unsigned i = 0; i < all->len; i++) {
        const struct cli_option *option = all->pdata[i];
        g_ptr_array_add(names, (gpointer)option->name);
    }
    g_ptr_array_add(names, NULL);
    return nearest_word(name, (const char *const *)names->pdata);
}

/* Says what is wrong with the option at which getopt_long(3) stopped with 'value', '?' or ':'. */
static int complain_option(const struct cli_usage *usage, const GPtrArray *all, int value, char **argv)
{
    const struct cli_option *option = optopt ? find_option(all, optopt) : NULL;
    g_autofree char *problem = NULL;
    if (value == ':' && option) {
        problem = g_strdup_printf("option --%s needs a value: %s", option->name, option->argument);
    } else if (option) {
        problem = g_strdup_printf("option --%s takes no value", option->name);
    } else if (optopt) {
        problem = g_strdup_printf("there is no option -%c", optopt);
    } else {
        const char *given = argv[optind - 1];
        g_autofree char *name = g_strndup(given + 2, strcspn(given + 2, "="));
        const char *nearest = nearest_option(all, name);
        problem = nearest ? g_strdup_printf("there is no option --%s: did you mean --%s?", name, nearest)
                          : g_strdup_printf("there is no option --%s", name);
    }
    return complain_usage(usage, problem);
}

static int check_count(const struct cli_usage *usage, int count, char **arguments)
{
    if (count < usage->min_arguments) {
        g_autofree char *problem = g_strdup_printf("something is missing: %s", usage->arguments);
        return complain_usage(usage, problem);
    }
    if (usage->max_arguments >= 0 && count > usage->max_arguments) {
        g_autofree char *problem = g_strdup_printf("too many arguments: \"%s\" is not expected", arguments[usage->max_arguments]);
        return complain_usage(usage, problem);
    }
    return CLI_GO_ON;
}

int cli_parse(struct cli *cli, const struct cli_usage *usage, int argc, char **argv, char ***ret_arguments)
{
    bool help = false;
    const struct cli_option common[] = {
        {"url", 'u', "URL", &cli->url, "the daemon to talk to [DISTEM_URL, or else " DISTEM_DEFAULT_URL "]"},
        {"json", 'j', NULL, &cli->json, "print JSON for other programs"},
        {"quiet", 'q', NULL, &cli->quiet, "print only errors and what was asked for"},
        {"help", 'h', NULL, &help, "print this help"},
        {0},
    };
    g_autoptr(GArray) longs = g_array_new(TRUE, TRUE, sizeof(struct option));
    g_autoptr(GPtrArray) all = g_ptr_array_new();
    g_autoptr(GString) letters = g_string_new(usage->in_order ? "+:" : ":");
    collect(usage->options, longs, all, letters);
    collect(common, longs, all, letters);
    optind = 0; /* Makes getopt_long(3) of glibc start anew. */
    opterr = 0;
    int value;
    while ((value = getopt_long(argc, argv, letters->str, (const struct option *)longs->data, NULL)) != -1) {
        const struct cli_option *option = value == '?' || value == ':' ? NULL : find_option(all, value);
        if (!option) {
            return complain_option(usage, all, value, argv);
        }
        if (option->argument) {
            *(const char **)option->ret = optarg;
        } else {
            *(bool *)option->ret = true;
        }
    }
    if (help) {
        print_help(usage, common);
        return CLI_OK;
    }
    *ret_arguments = argv + optind;
    return check_count(usage, argc - optind, argv + optind);
}
