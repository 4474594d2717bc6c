/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "delay-tables.h"

#include "distem/delay-table.h"
#include "names.h"

/* Returns the lines of a table as one text, or NULL after adding a problem. The caller frees it. */
static char *join_lines(struct reader *reader, const json_t *lines)
{
    size_t i;
    json_t *line;
    bool ok = json_is_array(lines);
    g_autoptr(GString) text = g_string_new(NULL);
    json_array_foreach (lines, i, line) {
        ok &= json_is_string(line);
        g_string_append_printf(text, "%s%s", i ? "\n" : "", json_is_string(line) ? json_string_value(line) : "");
    }
    if (!ok) {
        reader_problem(reader, "expected the lines of a table, an array of strings such as [\"-8192 -1638\", \"819 12288\"]");
        return NULL;
    }
    return g_string_free(g_steal_pointer(&text), FALSE);
}

void delay_tables_read(struct reader *reader, const json_t *section, GHashTable *ret)
{
    const char *name;
    json_t *lines;
    if (!reader_is_object(reader, section, "tables by name")) {
        return;
    }
    json_object_foreach ((json_t *)section, name, lines) {
        size_t mark = reader_enter(reader, name);
        g_autoptr(GError) error = NULL;
        const struct delay_table *table = NULL;
        g_autofree char *text = NULL;
        if (!names_check_file(name, &error)) {
            reader_problem(reader, "%s", error->message);
        } else if ((text = join_lines(reader, lines)) && !(table = delay_table_read(name, text, &error))) {
            reader_problem(reader, "%s", error->message);
        }
        g_hash_table_insert(ret, (char *)name, (void *)table);
        reader_leave(reader, mark);
    }
}

static void read_name(struct reader *reader, const json_t *value, void *target, unsigned index G_GNUC_UNUSED)
{
    (void)reader_string(reader, value, "a table's name", target);
}

static const struct field property_fields[] = {{"table", read_name}, {NULL, NULL}};

bool delay_tables_read_property(struct reader *reader, const json_t *value, uint64_t *ret_id)
{
    const char *name = NULL;
    unsigned before = reader->count;
    gpointer table = NULL;
    reader_object(reader, value, "a table of a distribution", property_fields, &name);
    if (!name) {
        if (reader->count == before) {
            reader_problem(reader, "the table is missing: expected \"table\": \"...\"");
        }
    } else if (!reader->tables) {
        reader_problem(reader, "a table can be named in a topology file only: expected uniform, normal, pareto or paretonormal");
    } else if (!g_hash_table_lookup_extended(reader->tables, name, NULL, &table)) {
        g_autofree char *shown = reader_printable(name);
        reader_problem(
            reader,
            "there is no table \"%s\": expected its lines under \"tables\", or a file of that name beside the topology's "
            "and no \"tables\"",
            shown);
    }
    if (table) {
        *ret_id = ((const struct delay_table *)table)->id;
    }
    return table;
}

json_t *delay_tables_to_json(const GPtrArray *tables)
{
    json_t *object = json_object();
    for (unsigned i = 0; i < tables->len; i++) {
        const struct delay_table *table = tables->pdata[i];
        g_autofree char *text = delay_table_text(table);
        g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
        json_t *array = json_array();
        for (unsigned j = 0; lines[j]; j++) {
            json_array_append_new(array, json_string(lines[j]));
        }
        json_object_set_new(object, table->name, array);
    }
    return object;
}
