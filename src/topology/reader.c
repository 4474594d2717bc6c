/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "reader.h"

#include <math.h>
#include <string.h>

#include "distem/topology.h"
#include "distem/units.h"
#include "position.h"

#define STRING_LIMIT 4096 /* Bytes; no string of a topology file needs more. */
#define SHOWN_LIMIT 60    /* Bytes of a user's string that a message repeats. */

void reader_init(struct reader *reader, const char *file, const char *pointer)
{
    *reader = (struct reader){.file = file, .pointer = g_string_new(pointer)};
}

void reader_clear(struct reader *reader)
{
    g_string_free(reader->pointer, TRUE);
    diagnostics_clear(&reader->found);
}

void reader_problem(struct reader *reader, const char *format, ...)
{
    if (reader->count++ >= PROBLEM_LIMIT) {
        return;
    }
    va_list args;
    va_start(args, format);
    g_autofree char *message = g_strdup_vprintf(format, args);
    va_end(args);
    diagnostics_add(&reader->found, reader->file, 0, reader->pointer->str, "%s", message);
}

bool reader_is_full(const struct reader *reader)
{
    return reader->count >= PROBLEM_LIMIT;
}

static int compare_lines(const void *a, const void *b)
{
    const struct diagnostic *const *first = a, *const *second = b;
    return (*first)->line < (*second)->line ? -1 : (*first)->line > (*second)->line;
}

/* Adds 'pointer' and everything around it to the table 'lines'. */
static void ask_for_lines(GHashTable *lines, const char *pointer)
{
    for (size_t length = strlen(pointer);; length--) {
        if (!pointer[length] || pointer[length] == '/') {
            g_hash_table_insert(lines, g_strndup(pointer, length), NULL);
        }
        if (!length) {
            return;
        }
    }
}

/* Gives 'problem' its line and cuts its pointer back to what the file has. */
static void settle_place(GHashTable *lines, struct diagnostic *problem)
{
    for (;;) {
        problem->line = GPOINTER_TO_UINT(g_hash_table_lookup(lines, problem->pointer));
        char *slash = strrchr(problem->pointer, '/');
        if (problem->line || !slash) {
            return;
        }
        *slash = '\0';
    }
}

void reader_finish(struct reader *reader, const char *text, size_t size, struct diagnostics *problems)
{
    unsigned shown = diagnostics_count(&reader->found);
    if (text && shown) {
        g_autoptr(GHashTable) lines = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
        for (unsigned i = 0; i < shown; i++) {
            ask_for_lines(lines, diagnostics_get(&reader->found, i)->pointer);
        }
        position_lines(text, size, lines);
        for (unsigned i = 0; i < shown; i++) {
            settle_place(lines, reader->found.list->pdata[i]);
        }
        /* Stable: g_ptr_array_sort() is a merge sort. */
        g_ptr_array_sort(reader->found.list, compare_lines);
    }
    for (unsigned i = 0; i < shown; i++) {
        const struct diagnostic *problem = diagnostics_get(&reader->found, i);
        diagnostics_add(problems, problem->file, problem->line, problem->pointer, "%s", problem->message);
    }
    if (reader->count > shown) {
        diagnostics_add(problems, reader->file, 0, NULL, "and %u more problems", reader->count - shown);
    }
}

size_t reader_enter(struct reader *reader, const char *key)
{
    size_t mark = reader->pointer->len;
    position_append_key(reader->pointer, key);
    return mark;
}

size_t reader_enter_index(struct reader *reader, size_t index)
{
    size_t mark = reader->pointer->len;
    g_string_append_printf(reader->pointer, "/%zu", index);
    return mark;
}

void reader_leave(struct reader *reader, size_t mark)
{
    g_string_truncate(reader->pointer, mark);
}

char *reader_printable(const char *text)
{
    GString *result = g_string_new(NULL);
    for (const char *c = text; *c; c = g_utf8_next_char(c)) {
        if (c - text >= SHOWN_LIMIT) {
            g_string_append(result, "...");
            break;
        }
        gunichar character = g_utf8_get_char(c);
        if (g_unichar_iscntrl(character)) {
            g_string_append_printf(result, "\\u%04x", character);
        } else {
            g_string_append_unichar(result, character);
        }
    }
    return g_string_free(result, FALSE);
}

char *reader_suggestion(const char *word, const char *const *candidates)
{
    const char *nearest = nearest_word(word, candidates);
    return nearest ? g_strdup_printf(" (did you mean \"%s\"?)", nearest) : g_strdup("");
}

/* Returns 'value' as a message may name it. */
static char *show(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return g_strdup("an object");
    case JSON_ARRAY:
        return g_strdup("an array");
    case JSON_STRING: {
        g_autofree char *text = reader_printable(json_string_value(value));
        return g_strdup_printf("\"%s\"", text);
    }
    case JSON_INTEGER:
    case JSON_REAL:
        return g_strdup_printf("%.17g", json_number_value(value));
    case JSON_TRUE:
        return g_strdup("true");
    case JSON_FALSE:
        return g_strdup("false");
    default:
        return g_strdup("null");
    }
}

static bool unexpected(struct reader *reader, const json_t *value, const char *expected)
{
    g_autofree char *shown = show(value);
    reader_problem(reader, "%s stands here: expected %s", shown, expected);
    return false;
}

static void unknown_key(struct reader *reader, const char *key, const char *what, const struct field *fields)
{
    if (reader_is_full(reader)) {
        reader_problem(reader, "unknown key");
        return;
    }
    g_autoptr(GPtrArray) known = g_ptr_array_new();
    for (const struct field *field = fields; field->key; field++) {
        g_ptr_array_add(known, (void *)field->key);
    }
    g_ptr_array_add(known, NULL);
    g_autofree char *shown = reader_printable(key);
    const char *nearest = nearest_word(key, (const char *const *)known->pdata);
    if (nearest) {
        reader_problem(reader, "unknown key \"%s\" in %s: did you mean \"%s\"?", shown, what, nearest);
    } else {
        g_autofree char *list = g_strjoinv(", ", (char **)known->pdata);
        reader_problem(reader, "unknown key \"%s\" in %s: expected one of %s", shown, what, list);
    }
}

bool reader_is_object(struct reader *reader, const json_t *value, const char *what)
{
    g_autofree char *expected = g_strdup_printf("%s, an object {...}", what);
    return json_is_object(value) || unexpected(reader, value, expected);
}

bool reader_object(struct reader *reader, const json_t *value, const char *what, const struct field *fields, void *target)
{
    if (!reader_is_object(reader, value, what)) {
        return false;
    }
    const char *key;
    json_t *member;
    json_object_foreach ((json_t *)value, key, member) {
        unsigned i = 0;
        while (fields[i].key && strcmp(fields[i].key, key) != 0) {
            i++;
        }
        size_t mark = reader_enter(reader, key);
        if (fields[i].key) {
            fields[i].read(reader, member, target, i);
        } else {
            unknown_key(reader, key, what, fields);
        }
        reader_leave(reader, mark);
    }
    return true;
}

bool reader_string(struct reader *reader, const json_t *value, const char *expected, const char **ret)
{
    if (!json_is_string(value)) {
        return unexpected(reader, value, expected);
    }
    if (json_string_length(value) > STRING_LIMIT) {
        reader_problem(reader, "this string has %zu bytes: expected %s of at most %d", json_string_length(value), expected,
                       STRING_LIMIT);
        return false;
    }
    for (const char *c = json_string_value(value); *c; c++) {
        if (g_ascii_iscntrl(*c)) {
            reader_problem(reader, "this string has a control character in it: expected %s", expected);
            return false;
        }
    }
    *ret = json_string_value(value);
    return true;
}

char *reader_lines(struct reader *reader, const json_t *value, const char *expected)
{
    size_t i;
    json_t *line;
    bool ok = json_is_array(value);
    g_autoptr(GString) text = g_string_new(NULL);
    json_array_foreach (value, i, line) {
        ok &= json_is_string(line);
        g_string_append_printf(text, "%s%s", i ? "\n" : "", json_is_string(line) ? json_string_value(line) : "");
    }
    if (!ok) {
        reader_problem(reader, "expected %s", expected);
        return NULL;
    }
    return g_string_free(g_steal_pointer(&text), FALSE);
}

bool reader_bool(struct reader *reader, const json_t *value, bool *ret)
{
    if (!json_is_boolean(value)) {
        return unexpected(reader, value, "true or false");
    }
    *ret = json_is_true(value);
    return true;
}

bool reader_integer(struct reader *reader, const json_t *value, uint32_t low, uint32_t high, uint32_t *ret)
{
    double number = json_number_value(value);
    if (!json_is_number(value) || !(number >= low && number <= high) || number != floor(number)) {
        g_autofree char *expected = g_strdup_printf("a whole number from %u to %u", low, high);
        return unexpected(reader, value, expected);
    }
    *ret = (uint32_t)number;
    return true;
}

bool reader_is_zero(const json_t *value)
{
    return json_is_number(value) && json_number_value(value) == 0;
}

static bool parse_time(const char *text, uint64_t *ret, GError **error)
{
    int64_t ns;
    return time_parse(text, &ns, error) && (*ret = (uint64_t)ns, true);
}

static char *format_time(uint64_t ns)
{
    return time_format((int64_t)ns);
}

static bool parse_percent(const char *text, uint64_t *ret, GError **error)
{
    uint32_t ppb;
    return percent_parse(text, &ppb, error) && (*ret = ppb, true);
}

static char *format_percent(uint64_t ppb)
{
    return percent_format((uint32_t)ppb);
}

const struct quantity_kind quantity_kind_time = {"a time such as \"20ms\"", parse_time, format_time};
const struct quantity_kind quantity_kind_rate = {"a rate such as \"10Mbit/s\"", rate_parse, rate_format};
const struct quantity_kind quantity_kind_size = {"a size such as \"64kB\" or \"256MiB\"", size_parse, size_format};
const struct quantity_kind quantity_kind_percent = {"a percentage such as \"0.5%\"", parse_percent, format_percent};
const struct quantity_kind quantity_kind_frequency = {"a frequency such as \"2.4GHz\"", frequency_parse, frequency_format};

bool reader_quantity(struct reader *reader, const json_t *value, const struct quantity_kind *kind, uint64_t low, uint64_t high,
                     uint64_t *ret)
{
    if (reader_is_zero(value)) {
        *ret = 0;
        return true;
    }
    if (json_is_number(value)) {
        reader_problem(reader, "the number %.17g has no unit: expected %s", json_number_value(value), kind->expected);
        return false;
    }
    const char *text;
    if (!reader_string(reader, value, kind->expected, &text)) {
        return false;
    }
    uint64_t number;
    g_autoptr(GError) error = NULL;
    if (strlen(text) > SHOWN_LIMIT) {
        return unexpected(reader, value, kind->expected);
    }
    if (!kind->parse(text, &number, &error)) {
        reader_problem(reader, "%s", error->message);
        return false;
    }
    if (number && (number < low || number > high)) {
        g_autofree char *least = kind->format(low), *most = kind->format(high);
        reader_problem(reader, "\"%s\" is out of range: expected %s to %s, or 0", text, least, most);
        return false;
    }
    *ret = number;
    return true;
}
