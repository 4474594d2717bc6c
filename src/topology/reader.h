/* SPDX-License-Identifier: Apache-2.0 */
/* Walks a JSON value by tables of fields and collects what is wrong, each with the JSON pointer of its place. The lines are worked
 * out at the end, in one pass over the text. */
#ifndef TOPOLOGY_READER_H
#define TOPOLOGY_READER_H 1

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "distem/error.h"

#define PROBLEM_LIMIT 100 /* So many are reported in full, the rest as a number. */

struct playbacks;

struct reader {
    const char *file;         /* As the user knows it; borrowed. */
    GString *pointer;         /* Of the value being read. */
    struct diagnostics found; /* The first PROBLEM_LIMIT, without lines. */
    unsigned count;           /* All of them. */
    GHashTable *tables;       /* Of jitter, that directions may name, see delay-tables.h; NULL: none. Borrowed. */
    /* Traces that properties may name; NULL: none. Borrowed. */
    const struct playbacks *playbacks;
};

/* One key that an object may have. 'read' gets the key's value, the object's target, and the field's place in its table. */
struct field {
    const char *key;
    void (*read)(struct reader *, const json_t *value, void *target, unsigned index);
};

/* Start at the place 'pointer' of 'file' (both borrowed resp. copied), and free. */
void reader_init(struct reader *, const char *file, const char *pointer);
void reader_clear(struct reader *);

/* Moves the found problems to 'problems' in the order of their lines, followed by one that counts those that were too many. Places
 * that stand nowhere in 'text' (NULL: lines stay unknown) become the nearest value around them. */
void reader_finish(struct reader *, const char *text, size_t size, struct diagnostics *problems);

/* Adds a problem at the present place. */
void reader_problem(struct reader *, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* Says whether further problems are only counted, so that costly messages are not worth making. */
bool reader_is_full(const struct reader *);

/* Goes one step down in the pointer; reader_leave() undoes it with the number that reader_enter returned. */
size_t reader_enter(struct reader *, const char *key);
size_t reader_enter_index(struct reader *, size_t index);
void reader_leave(struct reader *, size_t mark);

/* Reads the object 'value', "a vnode" by 'what': calls the field of each key. Unknown keys are problems with a suggestion. 'fields'
 * ends with a NULL key. Returns whether it was an object. */
bool reader_object(struct reader *, const json_t *value, const char *what, const struct field *fields, void *target);
/* Says whether 'value' is an object; if not adds the problem that 'what' was expected. */
bool reader_is_object(struct reader *, const json_t *value, const char *what);

/* Read a value at the present place; what is wrong with it becomes a problem, and then 'ret' is untouched and the result false.
 * 'expected' says what is expected in words that follow "expected". */
bool reader_string(struct reader *, const json_t *value, const char *expected, const char **ret);
/* Returns an array of lines as one text, or NULL after adding the problem that 'expected' was expected. The caller frees it. */
char *reader_lines(struct reader *, const json_t *value, const char *expected);
bool reader_bool(struct reader *, const json_t *value, bool *ret);
bool reader_integer(struct reader *, const json_t *value, uint32_t low, uint32_t high, uint32_t *ret);

/* A kind of quantity of units.h: how to read and write it as an integer. */
struct quantity_kind {
    const char *expected; /* "a time such as \"20ms\"" */
    bool (*parse)(const char *text, uint64_t *ret, GError **error);
    char *(*format)(uint64_t);
};
extern const struct quantity_kind quantity_kind_time, quantity_kind_rate, quantity_kind_size, quantity_kind_percent,
    quantity_kind_frequency;

/* Says whether 'value' is the number 0, which needs no unit. */
bool reader_is_zero(const json_t *value);

/* Reads a quantity, which must be 0 or lie between 'low' and 'high'. */
bool reader_quantity(struct reader *, const json_t *value, const struct quantity_kind *, uint64_t low, uint64_t high,
                     uint64_t *ret);

/* Returns " (did you mean "X"?)" for the word of 'candidates' nearest to 'word', or "". The caller frees it. */
char *reader_suggestion(const char *word, const char *const *candidates);
/* Returns 'text' fit for a message: cut when it is long, control characters escaped. The caller frees it. */
char *reader_printable(const char *text);

#endif
