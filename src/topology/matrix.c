/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "distem/matrix.h"

#include <inttypes.h>
#include <string.h>

struct matrix *matrix_new(unsigned groups)
{
    struct matrix *matrix = g_new(struct matrix, 1);
    *matrix = (struct matrix){.references = 1,
                              .groups = groups,
                              .group = g_new0(struct matrix_group, groups),
                              .cells = g_new0(struct matrix_cell, (size_t)groups * groups)};
    return matrix;
}

struct matrix *matrix_copy(const struct matrix *matrix)
{
    struct matrix *copy = matrix_new(matrix->groups);
    copy->seed = matrix->seed;
    for (unsigned i = 0; i < matrix->groups; i++) {
        copy->group[i] = (struct matrix_group){g_strdup(matrix->group[i].selector), g_strdup(matrix->group[i].addresses)};
    }
    memcpy(copy->cells, matrix->cells, (size_t)matrix->groups * matrix->groups * sizeof *matrix->cells);
    return copy;
}

struct matrix *matrix_ref(struct matrix *matrix)
{
    if (matrix) {
        matrix->references++;
    }
    return matrix;
}

void matrix_unref(struct matrix *matrix)
{
    if (!matrix || --matrix->references) {
        return;
    }
    for (unsigned i = 0; i < matrix->groups; i++) {
        g_free(matrix->group[i].selector);
        g_free(matrix->group[i].addresses);
    }
    g_free(matrix->group);
    g_free(matrix->cells);
    g_free(matrix);
}

const struct matrix_cell *matrix_between(const struct matrix *matrix, uint32_t from, uint32_t to)
{
    if (!matrix || !from || !to || from > matrix->groups || to > matrix->groups) {
        return NULL;
    }
    return &matrix->cells[(size_t)(from - 1) * matrix->groups + to - 1];
}

uint32_t matrix_find(const struct matrix *matrix, const char *selector)
{
    for (unsigned i = 0; i < matrix->groups; i++) {
        if (!strcmp(matrix->group[i].selector, selector)) {
            return i + 1;
        }
    }
    return 0;
}

static bool cells_equal(const struct matrix_cell *a, const struct matrix_cell *b)
{
    return a->latency == b->latency && a->bandwidth == b->bandwidth && a->loss == b->loss;
}

bool matrix_equal(const struct matrix *a, const struct matrix *b)
{
    if (a == b) {
        return true;
    }
    if (!a || !b || a->groups != b->groups || a->seed != b->seed) {
        return false;
    }
    for (unsigned i = 0; i < a->groups; i++) {
        if (strcmp(a->group[i].selector, b->group[i].selector) != 0) {
            return false;
        }
    }
    for (size_t i = 0; i < (size_t)a->groups * a->groups; i++) {
        if (!cells_equal(&a->cells[i], &b->cells[i])) {
            return false;
        }
    }
    return true;
}

/* A cell is "LATENCY/LOSS/BANDWIDTH", without zeros at its end. */
char *matrix_row_text(const struct matrix *matrix, unsigned from)
{
    GString *text = g_string_new(NULL);
    for (unsigned i = 0; i < matrix->groups; i++) {
        const struct matrix_cell *cell = &matrix->cells[(size_t)from * matrix->groups + i];
        g_string_append_printf(text, "%s%" PRId64, i ? " " : "", cell->latency);
        if (cell->loss || cell->bandwidth) {
            g_string_append_printf(text, "/%" PRIu32, cell->loss);
        }
        if (cell->bandwidth) {
            g_string_append_printf(text, "/%" PRIu64, cell->bandwidth);
        }
    }
    return g_string_free(text, FALSE);
}

void matrix_read_row(struct matrix *matrix, unsigned from, const char *text)
{
    for (unsigned i = 0; i < matrix->groups && *text; i++) {
        struct matrix_cell *cell = &matrix->cells[(size_t)from * matrix->groups + i];
        char *end;
        cell->latency = (int64_t)g_ascii_strtoull(text, &end, 10);
        if (*end == '/') {
            cell->loss = (uint32_t)g_ascii_strtoull(end + 1, &end, 10);
        }
        if (*end == '/') {
            cell->bandwidth = g_ascii_strtoull(end + 1, &end, 10);
        }
        text = *end ? end + 1 : end;
    }
}
