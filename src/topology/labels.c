/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "labels.h"

#include <string.h>

#include "distem/topology.h"
#include "names.h"

static bool read_label(struct reader *reader, const char *name, const json_t *value)
{
    g_autoptr(GError) error = NULL;
    const char *text;
    if (!names_check(name, &error)) {
        reader_problem(reader, "%s", error->message);
        return false;
    }
    if (!reader_string(reader, value, "a label's value", &text)) {
        return false;
    }
    bool ok = strlen(text) <= LABEL_MAX_LENGTH;
    for (const char *c = text; *c; c++) {
        ok = ok && g_ascii_isprint(*c) && !strchr(",=", *c);
    }
    if (!ok) {
        g_autofree char *shown = reader_printable(text);
        reader_problem(reader, "\"%s\" cannot be a label's value: expected at most %d ASCII characters without \",\" and \"=\"",
                       shown, LABEL_MAX_LENGTH);
    }
    return ok;
}

bool labels_read(struct reader *reader, const json_t *value)
{
    if (!reader_is_object(reader, value, "labels and their values")) {
        return false;
    }
    if (json_object_size(value) > LABELS_MAX) {
        reader_problem(reader, "%zu labels are too many: expected at most %d", json_object_size(value), LABELS_MAX);
        return false;
    }
    bool ok = true;
    const char *name;
    json_t *member;
    json_object_foreach ((json_t *)value, name, member) {
        size_t mark = reader_enter(reader, name);
        ok = read_label(reader, name, member) && ok;
        reader_leave(reader, mark);
    }
    return ok;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

char *labels_text(const json_t *value)
{
    const char *names[LABELS_MAX], *name;
    unsigned count = 0;
    json_t *member;
    json_object_foreach ((json_t *)value, name, member) {
        names[count++] = name;
    }
    if (!count) {
        return NULL;
    }
    qsort(names, count, sizeof *names, compare_names);
    GString *text = g_string_new(NULL);
    for (unsigned i = 0; i < count; i++) {
        g_string_append_printf(text, "%s%s=%s", i ? "," : "", names[i], json_string_value(json_object_get(value, names[i])));
    }
    return g_string_free(text, FALSE);
}

json_t *labels_json(const char *text)
{
    json_t *object = json_object();
    g_auto(GStrv) labels = g_strsplit(text ? text : "", ",", 0);
    for (unsigned i = 0; labels[i]; i++) {
        char *value = strchr(labels[i], '=');
        if (value) {
            *value = '\0';
            json_object_set_new(object, labels[i], json_string(value + 1));
        }
    }
    return object;
}
