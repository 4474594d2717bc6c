/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "report.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "table.h"
#include "text.h"

/* Of a list that is cut, where there is no terminal. */
#define LINE_WIDTH 80

/* The unit of all goodputs of a table. */
struct unit {
    const char *name;
    double size;
};

static double number(const json_t *figure, const char *key)
{
    return json_number_value(json_object_get(figure, key));
}

static bool passes(const json_t *figure)
{
    return json_is_true(json_object_get(figure, "pass"));
}

static bool is_measured(const json_t *figure)
{
    return json_is_number(json_object_get(figure, "measured_ns")) || json_is_number(json_object_get(figure, "measured"));
}

/* Returns the largest unit in which the smallest goodput is not below 1. */
static struct unit choose_unit(const json_t *results)
{
    static const struct unit units[] = {{"Gbit/s", 1e9}, {"Mbit/s", 1e6}, {"kbit/s", 1e3}};
    double least = INFINITY;
    size_t i;
    json_t *result;
    json_array_foreach (results, i, result) {
        const json_t *goodput = json_object_get(result, "goodput");
        double value = number(goodput, "expected") > 0 ? number(goodput, "expected") : number(goodput, "measured");
        least = value > 0 ? MIN(least, value) : least;
    }
    for (unsigned k = 0; k < G_N_ELEMENTS(units); k++) {
        if (least >= units[k].size) {
            return units[k];
        }
    }
    return (struct unit){"bit/s", 1};
}

/* Adds expected, measured and error of 'figure' (NULL: not measured) to the row; 'suffix' is that of its keys. */
static void add_figure(struct table *table, const json_t *figure, const char *suffix, double unit, unsigned digits)
{
    g_autofree char *expected_key = g_strconcat("expected", suffix, NULL), *measured_key = g_strconcat("measured", suffix, NULL);
    const json_t *expected = json_object_get(figure, expected_key);
    bool unknown = !json_is_number(expected) && json_object_get(figure, "problem");
    bool limited = json_is_number(expected) && (json_number_value(expected) > 0 || *suffix);
    table_add_take(table, !figure   ? NULL
                          : unknown ? g_strdup("none")
                          : limited ? g_strdup_printf("%.*f", (int)digits, json_number_value(expected) / unit)
                                    : g_strdup("any"));
    table_add_take(table, !figure               ? NULL
                          : is_measured(figure) ? g_strdup_printf("%.*f", (int)digits, number(figure, measured_key) / unit)
                                                : g_strdup("none"));
    const json_t *error = json_object_get(figure, "error");
    g_autofree char *percent = json_is_number(error) ? text_percent(json_number_value(error), true) : g_strdup("");
    table_add_take(table, !figure          ? NULL
                          : passes(figure) ? g_strdup(percent)
                                           : g_strconcat("!", *percent ? " " : "", percent, NULL));
    table_color(table, !figure || passes(figure) ? COLOR_NONE : COLOR_RED);
}

static void add_loss(struct table *table, const json_t *loss)
{
    table_add_take(table, loss ? text_percent(number(loss, "expected"), false) : NULL);
    g_autofree char *measured = is_measured(loss) ? text_percent(number(loss, "measured"), false) : g_strdup("none");
    table_add_take(table, !loss ? NULL : g_strconcat(passes(loss) ? "" : "! ", measured, NULL));
    table_color(table, !loss || passes(loss) ? COLOR_NONE : COLOR_RED);
}

static void print_table(const json_t *results)
{
    struct unit unit = choose_unit(results);
    g_autofree char *headings = g_strdup_printf("FROM|TO|RTT ms|MEASURED|ERROR|%s|MEASURED|ERROR|LOSS|SEEN", unit.name);
    struct table *table = table_new("LLrrrrrrrr", headings);
    size_t i;
    json_t *result;
    json_array_foreach (results, i, result) {
        table_add(table, cli_string(result, "from", "?"));
        table_add(table, cli_string(result, "to", "?"));
        add_figure(table, json_object_get(result, "rtt"), "_ns", 1e6, 3);
        add_figure(table, json_object_get(result, "goodput"), "", unit.size, unit.size > 1 ? 1 : 0);
        add_loss(table, json_object_get(result, "loss"));
    }
    table_print(table, stdout, terminal_width(stdout));
    table_free(table);
}

/* Says what could not be measured, and returns whether there was something. */
static bool print_problems(const json_t *results, const char *const *kinds)
{
    size_t i;
    json_t *result;
    unsigned width = terminal_width(stdout);
    bool any = false;
    json_array_foreach (results, i, result) {
        for (const char *const *kind = kinds; *kind; kind++) {
            const char *problem = cli_string(json_object_get(result, *kind), "problem", NULL);
            if (problem) {
                g_autofree char *line = g_strdup_printf("%s -> %s: %s: %s", cli_string(result, "from", "?"),
                                                        cli_string(result, "to", "?"), *kind, problem);
                g_autofree char *wrapped = text_wrap(line, width ? width - 4 : G_MAXUINT, 4);
                puts(wrapped);
                any = true;
            }
        }
    }
    return any;
}

/* Names pairs that were not measured because of 'why', as far as a line has room. */
static void print_left_out(const char *why, const json_t *pairs)
{
    unsigned width = terminal_width(stdout);
    size_t most = width ? width : LINE_WIDTH, i;
    g_autofree char *count = text_count((int64_t)json_array_size(pairs), "pair");
    g_autoptr(GString) line = g_string_new(NULL);
    g_string_append_printf(line, "%s %s:", why, count);
    json_t *pair;
    json_array_foreach (pairs, i, pair) {
        g_autofree char *names = g_strdup_printf("%s %s -- %s", i ? "," : "", json_string_value(json_array_get(pair, 0)),
                                                 json_string_value(json_array_get(pair, 1)));
        if (line->len + strlen(names) + strlen(", ...") > most) {
            g_string_append(line, i ? ", ..." : " ...");
            break;
        }
        g_string_append(line, names);
    }
    puts(line->str);
}

/* How far a figure is off: relatively, a loss in absolute terms. */
static double deviation(const json_t *figure, const char *kind)
{
    return fabs(strcmp(kind, "loss") ? number(figure, "error") : number(figure, "measured") - number(figure, "expected"));
}

static void print_worst(const json_t *results, const char *kind)
{
    const json_t *worst = NULL;
    size_t i;
    json_t *result;
    json_array_foreach (results, i, result) {
        const json_t *figure = json_object_get(result, kind);
        if (is_measured(figure) && (!worst || deviation(figure, kind) > deviation(json_object_get(worst, kind), kind))) {
            worst = result;
        }
    }
    if (!worst) {
        return;
    }
    const json_t *figure = json_object_get(worst, kind);
    g_autofree char *expected = !strcmp(kind, "rtt")       ? text_ns(number(figure, "expected_ns"))
                                : !strcmp(kind, "goodput") ? text_rate(number(figure, "expected"))
                                                           : text_percent(number(figure, "expected"), false);
    g_autofree char *measured = !strcmp(kind, "rtt")       ? text_ns(number(figure, "measured_ns"))
                                : !strcmp(kind, "goodput") ? text_rate(number(figure, "measured"))
                                                           : text_percent(number(figure, "measured"), false);
    const json_t *error = json_object_get(figure, "error");
    g_autofree char *percent = json_is_number(error) ? text_percent(json_number_value(error), true) : NULL;
    printf("Worst %-8s %s %s %s: %s instead of %s%s%s%s\n", kind, cli_string(worst, "from", "?"), strcmp(kind, "rtt") ? "->" : "--",
           cli_string(worst, "to", "?"), measured, expected, percent ? " (" : "", percent ? percent : "", percent ? ")" : "");
}

/* Prints what the pnodes noticed about themselves meanwhile. */
static void print_doubts(const json_t *doubts)
{
    size_t i;
    json_t *doubt;
    json_array_foreach (doubts, i, doubt) {
        printf("%sNot to be trusted:%s %s\n", terminal_color(stdout, COLOR_YELLOW), terminal_plain(stdout),
               json_string_value(doubt));
    }
}

void report_print(const json_t *verification, bool brief)
{
    static const char *const kinds[] = {"rtt", "goodput", "loss", NULL};
    const json_t *results = json_object_get(verification, "results");
    int64_t figures = 0, failed = 0, unmeasured = 0;
    size_t i;
    json_t *result;
    json_array_foreach (results, i, result) {
        for (const char *const *kind = kinds; *kind; kind++) {
            const json_t *figure = json_object_get(result, *kind);
            figures += figure != NULL;
            failed += figure && !passes(figure);
            unmeasured += figure && !is_measured(figure);
        }
    }
    if (!brief && figures) {
        print_table(results);
        putchar('\n');
        if (print_problems(results, kinds)) {
            putchar('\n');
        }
        for (const char *const *kind = kinds; *kind; kind++) {
            print_worst(results, *kind);
        }
    }
    const json_t *no_way = json_object_get(verification, "no_way");
    if (!brief && json_array_size(no_way)) {
        print_left_out("No way by the plan between", no_way);
    }
    const json_t *following = json_object_get(verification, "following");
    if (!brief && json_array_size(following)) {
        print_left_out("Not measured, as a trace plays between", following);
    }
    print_doubts(json_object_get(verification, "doubts"));
    bool pass = json_is_true(json_object_get(verification, "pass"));
    g_autofree char *count = text_count(figures, "figure");
    printf("%s%s%s: ", terminal_color(stdout, pass ? COLOR_GREEN : COLOR_RED), pass ? "PASS" : "FAIL", terminal_plain(stdout));
    if (failed) {
        printf("%" G_GINT64_FORMAT " of %s %s outside %s tolerance%s\n", failed, count, failed == 1 ? "is" : "are",
               failed == 1 ? "its" : "their", unmeasured ? " or could not be measured" : "");
    } else if (!figures) {
        puts("there was nothing to measure");
    } else {
        printf("%s measured, none outside its tolerance\n", count);
    }
}
