/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "matrices.h"

#include <string.h>

#include "distem/select.h"
#include "distem/topology.h"
#include "distem/units.h"
#include "impairment.h"
#include "names.h"

#define LINES "the lines of a table, such as [\"to, a, b\", \"a, 0, 10ms\", \"b, 10ms, 0\"]"
#define CORNER "to"

enum quantity { QUANTITY_LATENCY, QUANTITY_LOSS, QUANTITY_BANDWIDTH, QUANTITIES };

static const struct {
    const char *name;
    const struct quantity_kind *kind;
    uint64_t low, high;
} quantities[QUANTITIES] = {
    [QUANTITY_LATENCY] = {"latency", &quantity_kind_time, 1, LATENCY_LIMIT},
    [QUANTITY_LOSS] = {"loss", &quantity_kind_percent, 1, PPB_ONE},
    [QUANTITY_BANDWIDTH] = {"bandwidth", &quantity_kind_rate, BANDWIDTH_LEAST, BANDWIDTH_LIMIT},
};

/* The table of one quantity, cut into words. */
struct table {
    GPtrArray *rows; /* Of GStrv; NULL: there is none. */
    json_t *origin;  /* Its lines; a new reference. */
};

/* The whole, while it is read. */
struct draft {
    struct platform *platform;
    const json_t *matrices;
    struct table tables[QUANTITIES];
    GHashTable *groups; /* Selector -> its group, from 1. */
    GPtrArray *selectors;
    uint32_t seed;
};

static void free_row(void *row)
{
    g_strfreev(row);
}

/* Reads the lines, which stand here or under the name that stands here. */
static void read_table(struct reader *reader, const json_t *value, void *target, unsigned index)
{
    struct draft *draft = target;
    struct table *table = &draft->tables[index];
    const char *name = json_string_value(value);
    const json_t *lines = name ? json_object_get(draft->matrices, name) : value;
    if (name && !lines) {
        g_autofree char *shown = reader_printable(name);
        reader_problem(
            reader,
            "there is no matrix \"%s\": expected its lines under \"matrices\", or a file of that name beside the topology's "
            "and no \"matrices\"",
            shown);
        return;
    }
    g_autofree char *text = reader_lines(reader, lines, LINES);
    if (!text) {
        return;
    }
    g_auto(GStrv) rows = g_strsplit(text, "\n", -1);
    table->rows = g_ptr_array_new_with_free_func(free_row);
    for (unsigned i = 0; rows[i]; i++) {
        if (*g_strstrip(rows[i])) {
            char **words = g_strsplit(rows[i], ",", -1);
            for (unsigned j = 0; words[j]; j++) {
                g_strstrip(words[j]);
            }
            g_ptr_array_add(table->rows, words);
        }
    }
}

static void read_seed(struct reader *reader, const json_t *value, void *target, unsigned index G_GNUC_UNUSED)
{
    struct draft *draft = target;
    (void)reader_integer(reader, value, 0, UINT32_MAX, &draft->seed);
}

static const struct field matrix_fields[] = {
    [QUANTITY_LATENCY] = {"latency", read_table},
    [QUANTITY_LOSS] = {"loss", read_table},
    [QUANTITY_BANDWIDTH] = {"bandwidth", read_table},
    [QUANTITIES] = {"seed", read_seed},
    [QUANTITIES + 1] = {NULL, NULL},
};

/* Makes a group of what 'selector' means, unless it is one already. */
static void add_group(struct reader *reader, struct draft *draft, const char *selector)
{
    if (g_hash_table_contains(draft->groups, selector)) {
        return;
    }
    if (draft->selectors->len == MATRIX_GROUPS_MOST) {
        reader_problem(reader, "a matrix has at most %d groups", MATRIX_GROUPS_MOST);
    }
    g_ptr_array_add(draft->selectors, g_strdup(selector));
    uint32_t group = draft->selectors->len;
    g_hash_table_insert(draft->groups, draft->selectors->pdata[group - 1], GUINT_TO_POINTER(group));
    g_autoptr(GArray) selected = g_array_new(FALSE, FALSE, sizeof(struct selected));
    g_autoptr(GError) error = NULL;
    if (strchr(selector, ':')) {
        reader_problem(reader, "\"%s\" names a viface: expected vnodes", selector);
    } else if (!select_vifaces(draft->platform, selector, selected, &error)) {
        reader_problem(reader, "%s", error->message);
    }
    for (unsigned i = 0; i < selected->len; i++) {
        struct vnode *vnode = g_array_index(selected, struct selected, i).vnode;
        if (vnode->group && vnode->group != group) {
            reader_problem(reader, "vnode %s belongs to \"%s\" and to \"%s\": expected one group for each", vnode->name,
                           (char *)draft->selectors->pdata[vnode->group - 1], selector);
            return;
        }
        vnode->group = group;
    }
}

/* Makes a group of what heads a row or a column, whose 'names' each head one. */
static void add_heading(struct reader *reader, struct draft *draft, GHashTable *names, const char *what, unsigned number,
                        char *selector)
{
    if (g_hash_table_add(names, selector)) {
        add_group(reader, draft, selector);
    } else {
        reader_problem(reader, "%s %u (%s) is there twice: expected each group once", what, number, selector);
    }
}

/* Makes groups of all that a table names, and checks its form. */
static void find_groups(struct reader *reader, struct draft *draft, const struct table *table)
{
    char **first = table->rows->len ? table->rows->pdata[0] : NULL;
    if (!first || !first[0] || !first[1]) {
        reader_problem(reader, "expected " LINES);
        return;
    }
    unsigned width = g_strv_length(first);
    g_autoptr(GHashTable) columns = g_hash_table_new(g_str_hash, g_str_equal), names = g_hash_table_new(g_str_hash, g_str_equal);
    for (unsigned i = 1; i < width && !reader_is_full(reader); i++) {
        add_heading(reader, draft, columns, "column", i, first[i]);
    }
    for (unsigned i = 1; i < table->rows->len && !reader_is_full(reader); i++) {
        char **row = table->rows->pdata[i];
        if (g_strv_length(row) != width) {
            reader_problem(reader, "row %u (%s) has %u words, and the first one %u: expected as many", i, row[0],
                           g_strv_length(row), width);
            continue;
        }
        add_heading(reader, draft, names, "row", i, row[0]);
    }
}

static void set_cell(struct matrix_cell *cell, enum quantity quantity, uint64_t value)
{
    if (quantity == QUANTITY_LATENCY) {
        cell->latency = (int64_t)value;
    } else if (quantity == QUANTITY_LOSS) {
        cell->loss = (uint32_t)value;
    } else {
        cell->bandwidth = value;
    }
}

static void read_cells(struct reader *reader, const struct draft *draft, enum quantity quantity, struct matrix *matrix)
{
    const GPtrArray *rows = draft->tables[quantity].rows;
    char **first = rows->pdata[0];
    for (unsigned i = 1; i < rows->len; i++) {
        char **row = rows->pdata[i];
        unsigned from = GPOINTER_TO_UINT(g_hash_table_lookup(draft->groups, row[0])) - 1;
        for (unsigned j = 1; first[j] && !reader_is_full(reader); j++) {
            unsigned to = GPOINTER_TO_UINT(g_hash_table_lookup(draft->groups, first[j])) - 1;
            g_autoptr(GError) error = NULL;
            uint64_t value = 0;
            if (*row[j] && !quantities[quantity].kind->parse(row[j], &value, &error)) {
                reader_problem(reader, "row %u (%s), column %u (%s): %s", i, row[0], j, first[j], error->message);
            } else if (value && (value < quantities[quantity].low || value > quantities[quantity].high)) {
                reader_problem(reader, "row %u (%s), column %u (%s): \"%s\" is out of range", i, row[0], j, first[j], row[j]);
            }
            set_cell(&matrix->cells[(size_t)from * matrix->groups + to], quantity, value);
        }
    }
}

/* Makes the matrix of what was read. */
static void finish(struct reader *reader, struct draft *draft)
{
    struct matrix *matrix = matrix_new(draft->selectors->len);
    matrix->seed = draft->seed;
    for (unsigned i = 0; i < matrix->groups; i++) {
        matrix->group[i].selector = g_strdup(draft->selectors->pdata[i]);
    }
    for (enum quantity q = 0; q < QUANTITIES; q++) {
        if (draft->tables[q].rows) {
            size_t mark = reader_enter(reader, quantities[q].name);
            read_cells(reader, draft, q, matrix);
            reader_leave(reader, mark);
        }
    }
    draft->platform->matrix = matrix;
}

void matrices_read(struct reader *reader, const json_t *value, const json_t *matrices, struct platform *platform)
{
    struct draft draft = {.platform = platform,
                          .matrices = matrices,
                          .groups = g_hash_table_new(g_str_hash, g_str_equal),
                          .selectors = g_ptr_array_new_with_free_func(g_free)};
    unsigned before = reader->count;
    reader_object(reader, value, "a matrix", matrix_fields, &draft);
    if (draft.seed && !draft.tables[QUANTITY_LOSS].rows && reader->count == before) {
        reader_problem(reader, "seed needs something random, and none is given: expected a loss");
    }
    for (enum quantity q = 0; q < QUANTITIES && reader->count == before; q++) {
        if (draft.tables[q].rows) {
            size_t mark = reader_enter(reader, quantities[q].name);
            find_groups(reader, &draft, &draft.tables[q]);
            reader_leave(reader, mark);
        }
    }
    if (reader->count == before && draft.selectors->len) {
        finish(reader, &draft);
    }
    for (enum quantity q = 0; q < QUANTITIES; q++) {
        g_clear_pointer(&draft.tables[q].rows, g_ptr_array_unref);
    }
    g_hash_table_unref(draft.groups);
    g_ptr_array_unref(draft.selectors);
}

static uint64_t get_value(const struct matrix_cell *cell, enum quantity quantity)
{
    return quantity == QUANTITY_LATENCY ? (uint64_t)cell->latency : quantity == QUANTITY_LOSS ? cell->loss : cell->bandwidth;
}

/* Rows and columns, each from a first one to before another. */
struct section {
    unsigned from, from_end, to, to_end;
};

/* Returns the lines of a quantity, or NULL when all of them are 0. */
static json_t *table_to_json(const struct matrix *matrix, const struct section *section, enum quantity quantity)
{
    json_t *lines = json_array();
    bool any = false;
    g_autoptr(GString) line = g_string_new(CORNER);
    for (unsigned i = section->to; i < section->to_end; i++) {
        g_string_append_printf(line, ", %s", matrix->group[i].selector);
    }
    json_array_append_new(lines, json_string(line->str));
    for (unsigned i = section->from; i < section->from_end; i++) {
        g_string_assign(line, matrix->group[i].selector);
        for (unsigned j = section->to; j < section->to_end; j++) {
            uint64_t value = get_value(&matrix->cells[(size_t)i * matrix->groups + j], quantity);
            g_autofree char *text = value ? quantities[quantity].kind->format(value) : g_strdup("0");
            g_string_append_printf(line, ", %s", text);
            any |= value != 0;
        }
        json_array_append_new(lines, json_string(line->str));
    }
    /* Groups shall not be lost, and a seed needs losses. */
    if (!any && quantity != QUANTITY_LATENCY && !(quantity == QUANTITY_LOSS && matrix->seed)) {
        json_decref(lines);
        return NULL;
    }
    return lines;
}

json_t *matrix_to_json(const struct matrix *matrix, uint32_t from, uint32_t to)
{
    json_t *object = json_object();
    const struct section section = {from ? from - 1 : 0, from ? from : matrix->groups, to ? to - 1 : 0, to ? to : matrix->groups};
    if (matrix->seed) {
        json_object_set_new(object, "seed", json_integer(matrix->seed));
    }
    for (enum quantity q = 0; q < QUANTITIES; q++) {
        json_t *lines = table_to_json(matrix, &section, q);
        if (lines) {
            json_object_set_new(object, quantities[q].name, lines);
        }
    }
    return object;
}

/* A matrix while values of it change. */
struct revision {
    struct matrix *matrix;
    GHashTable *groups; /* Selector -> its group, from 1. */
    uint32_t ends[2];   /* From and to, of the change that is being read; 0: not known. */
    uint64_t values[QUANTITIES];
    bool given[QUANTITIES];
};

enum { FIELD_FROM = QUANTITIES, FIELD_TO };

static void read_value(struct reader *reader, const json_t *value, void *target, unsigned index)
{
    struct revision *revision = target;
    revision->given[index] = true;
    revision->values[index] = 0;
    if (!json_is_null(value)) {
        (void)reader_quantity(reader, value, quantities[index].kind, quantities[index].low, quantities[index].high,
                              &revision->values[index]);
    }
}

static void read_end(struct reader *reader, const json_t *value, void *target, unsigned index)
{
    struct revision *revision = target;
    const char *selector;
    if (!reader_string(reader, value, "a group of the matrix", &selector)) {
        return;
    }
    revision->ends[index - FIELD_FROM] = GPOINTER_TO_UINT(g_hash_table_lookup(revision->groups, selector));
    if (!revision->ends[index - FIELD_FROM]) {
        g_autofree char *shown = reader_printable(selector);
        reader_problem(reader, "the matrix has no group \"%s\": expected one as the topology names it", shown);
    }
}

static const struct field revision_fields[] = {
    [QUANTITY_LATENCY] = {"latency", read_value},
    [QUANTITY_LOSS] = {"loss", read_value},
    [QUANTITY_BANDWIDTH] = {"bandwidth", read_value},
    [FIELD_FROM] = {"from", read_end},
    [FIELD_TO] = {"to", read_end},
    [FIELD_TO + 1] = {NULL, NULL},
};

/* Makes one change. */
static void revise(struct reader *reader, struct revision *revision, const json_t *change)
{
    memset(revision->ends, 0, sizeof revision->ends);
    memset(revision->given, 0, sizeof revision->given);
    if (!reader_object(reader, change, "a change of the matrix", revision_fields, revision)) {
        return;
    }
    if (!json_object_get(change, "from") || !json_object_get(change, "to")) {
        reader_problem(reader, "expected \"from\" and \"to\", groups of the matrix");
    }
    if (revision->ends[0] && revision->ends[1]) {
        size_t number = (size_t)(revision->ends[0] - 1) * revision->matrix->groups + revision->ends[1] - 1;
        for (enum quantity q = 0; q < QUANTITIES; q++) {
            if (revision->given[q]) {
                set_cell(&revision->matrix->cells[number], q, revision->values[q]);
            }
        }
    }
}

struct matrix *matrix_revised(const struct matrix *matrix, const json_t *changes, const char *pointer, struct diagnostics *problems)
{
    struct reader reader;
    struct revision revision = {.matrix = matrix_copy(matrix), .groups = g_hash_table_new(g_str_hash, g_str_equal)};
    for (unsigned i = 0; i < matrix->groups; i++) {
        g_hash_table_insert(revision.groups, matrix->group[i].selector, GUINT_TO_POINTER(i + 1));
    }
    reader_init(&reader, NULL, pointer);
    for (size_t i = 0; i < json_array_size(changes); i++) {
        size_t mark = reader_enter_index(&reader, i);
        revise(&reader, &revision, json_array_get(changes, i));
        reader_leave(&reader, mark);
    }
    bool ok = !reader.count;
    reader_finish(&reader, NULL, 0, problems);
    reader_clear(&reader);
    g_hash_table_unref(revision.groups);
    if (!ok) {
        g_clear_pointer(&revision.matrix, matrix_unref);
    }
    return revision.matrix;
}
