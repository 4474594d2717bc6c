/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "table.h"

#include <string.h>

#include <glib.h>

#include "text.h"

#define GAP 2 /* Blanks between two columns. */
#define COLUMNS_MAX 16
#define WIDTH_MIN 6u /* A column is not cut further. */

struct cell {
    char *text; /* NULL: nothing. */
    enum color color;
};

struct table {
    char *columns;
    unsigned n_columns;
    GArray *cells; /* Of struct cell; the first row are the headings. */
};

static void clear_cell(void *data)
{
    struct cell *cell = data;
    g_free(cell->text);
}

struct table *table_new(const char *columns, const char *headings)
{
    struct table *table = g_new0(struct table, 1);
    table->columns = g_strdup(columns);
    table->n_columns = (unsigned)strlen(columns);
    g_assert(table->n_columns <= COLUMNS_MAX);
    table->cells = g_array_new(FALSE, FALSE, sizeof(struct cell));
    g_array_set_clear_func(table->cells, clear_cell);
    g_auto(GStrv) names = g_strsplit(headings, "|", -1);
    g_assert(g_strv_length(names) == table->n_columns);
    for (char **name = names; *name; name++) {
        table_add(table, *name);
        table_color(table, COLOR_BOLD);
    }
    return table;
}

void table_free(struct table *table)
{
    if (table) {
        g_array_unref(table->cells);
        g_free(table->columns);
        g_free(table);
    }
}

void table_add(struct table *table, const char *text)
{
    table_add_take(table, g_strdup(text));
}

void table_add_take(struct table *table, char *text)
{
    struct cell cell = {0};
    cell.text = text;
    g_array_append_val(table->cells, cell);
}

void table_color(struct table *table, enum color color)
{
    g_array_index(table->cells, struct cell, table->cells->len - 1).color = color;
}

static const struct cell *cell_at(const struct table *table, unsigned row, unsigned column)
{
    return &g_array_index(table->cells, struct cell, row * table->n_columns + column);
}

static unsigned count_rows(const struct table *table)
{
    return table->cells->len / table->n_columns;
}

/* Works out how wide each column is; 0: it is left out. */
static void measure(const struct table *table, unsigned *widths)
{
    for (unsigned column = 0; column < table->n_columns; column++) {
        bool used = false;
        for (unsigned row = 0; row < count_rows(table); row++) {
            const struct cell *cell = cell_at(table, row, column);
            widths[column] = MAX(widths[column], cell->text ? text_width(cell->text) : 0);
            used = used || (row && cell->text);
        }
        if (!used) {
            widths[column] = 0;
        }
    }
}

/* Takes columns away from the widest of those that may be cut until all fit into 'width': 'L' first, then every left aligned one.
 */
static void squeeze(const struct table *table, unsigned *widths, unsigned width)
{
    unsigned total = 0;
    for (unsigned column = 0; column < table->n_columns; column++) {
        total += widths[column] ? widths[column] + (total ? GAP : 0) : 0;
    }
    for (const char *kind = "Ll"; *kind; kind++) {
        while (total > width) {
            unsigned *widest = NULL;
            for (unsigned column = 0; column < table->n_columns; column++) {
                if (table->columns[column] == *kind && widths[column] > WIDTH_MIN && (!widest || widths[column] > *widest)) {
                    widest = &widths[column];
                }
            }
            if (!widest) {
                break;
            }
            --*widest;
            total--;
        }
    }
}

static void print_row(const struct table *table, const unsigned *widths, unsigned row, FILE *file)
{
    unsigned owed = 0; /* Blanks before the next text: none are written at the end of a line. */
    bool first = true;
    for (unsigned column = 0; column < table->n_columns; column++) {
        if (!widths[column]) {
            continue;
        }
        owed += first ? 0 : GAP;
        first = false;
        const struct cell *cell = cell_at(table, row, column);
        g_autofree char *text = text_shorten(cell->text ? cell->text : "", widths[column], !terminal_has_unicode());
        unsigned padding = widths[column] - text_width(text);
        bool right = table->columns[column] == 'r';
        if (*text) {
            bool colored = cell->color != COLOR_NONE;
            fprintf(file, "%*s%s%s%s", (int)(owed + (right ? padding : 0)), "", colored ? terminal_color(file, cell->color) : "",
                    text, colored ? terminal_plain(file) : "");
            owed = right ? 0 : padding;
        } else {
            owed += padding;
        }
    }
    fputc('\n', file);
}

void table_print(const struct table *table, FILE *file, unsigned width)
{
    unsigned widths[COLUMNS_MAX] = {0};
    measure(table, widths);
    if (width) {
        squeeze(table, widths, width);
    }
    for (unsigned row = 0; row < count_rows(table); row++) {
        print_row(table, widths, row, file);
    }
}
