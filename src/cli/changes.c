/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "changes.h"

#include <stdio.h>
#include <string.h>

#include "terminal.h"
#include "text.h"

#define UNREACHABLE_SHOWN 5

static const struct kind {
    const char *name, *verb, *mark;
    enum color color;
} kinds[] = {
    {"add", "adds", "+", COLOR_GREEN},
    {"remove", "removes", "-", COLOR_RED},
    {"modify", "changes", "~", COLOR_YELLOW},
};

void changes_print(const json_t *changes)
{
    size_t i;
    json_t *change;
    json_array_foreach (changes, i, change) {
        for (const struct kind *kind = kinds; kind < kinds + G_N_ELEMENTS(kinds); kind++) {
            if (!strcmp(kind->name, cli_string(change, "kind", ""))) {
                const char *detail = cli_string(change, "detail", NULL);
                printf("%s%s %s %s%s%s%s\n", terminal_color(stdout, kind->color), kind->mark, cli_string(change, "object", "?"),
                       cli_string(change, "name", "?"), terminal_plain(stdout), detail ? ": " : "", detail ? detail : "");
            }
        }
    }
}

/* Appends "adds 2 vnetworks, 5 vnodes" for the changes of one kind. */
static void summarise(GString *summary, const json_t *changes, const struct kind *kind)
{
    static const char *const objects[] = {"platform", "matrix", "vnetwork", "vnode", "viface", "vroute"};
    bool first = true;
    for (unsigned k = 0; k < G_N_ELEMENTS(objects); k++) {
        size_t i;
        json_t *change;
        int64_t n = 0;
        json_array_foreach (changes, i, change) {
            n += !strcmp(cli_string(change, "kind", ""), kind->name) && !strcmp(cli_string(change, "object", ""), objects[k]);
        }
        if (n) {
            g_autofree char *count = text_count(n, objects[k]);
            g_string_append_printf(summary, "%s%s%s",
                                   !first         ? ", "
                                   : summary->len ? "; "
                                                  : "",
                                   first ? kind->verb : "", first ? " " : "");
            g_string_append(summary, count);
            first = false;
        }
    }
}

char *changes_summary(const json_t *changes)
{
    GString *summary = g_string_new(NULL);
    for (const struct kind *kind = kinds; kind < kinds + G_N_ELEMENTS(kinds); kind++) {
        summarise(summary, changes, kind);
    }
    if (!summary->len) {
        g_string_append(summary, "nothing to change");
    }
    return g_string_free(summary, FALSE);
}

void changes_warn_unreachable(const json_t *unreachable, bool all)
{
    size_t i, n = json_array_size(unreachable);
    json_t *pair;
    size_t shown = all || n <= UNREACHABLE_SHOWN + 1 ? n : UNREACHABLE_SHOWN;
    json_array_foreach (unreachable, i, pair) {
        if (i < shown) {
            cli_complain("warning: there is no route %s", json_string_value(pair));
        }
    }
    if (shown < n) {
        cli_complain("warning: ... and %zu more without a route: see --verbose", n - shown);
    }
}
