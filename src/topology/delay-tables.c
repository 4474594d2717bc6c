/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "delay-tables.h"

#include "distem/delay-table.h"
#include "names.h"

#define LINES "the lines of a table, an array of strings such as [\"-8192 -1638\", \"819 12288\"]"

void delay_tables_read(struct reader *reader, const json_t *section, GHashTable *ret, GPtrArray *references)
{
    const char *name;
    json_t *lines;
    if (!reader_is_object(reader, section, "tables by name")) {
        return;
    }
    json_object_foreach ((json_t *)section, name, lines) {
        size_t mark = reader_enter(reader, name);
        g_autoptr(GError) error = NULL;
        struct delay_table *table = NULL;
        g_autofree char *text = NULL;
        if (names_check_file(name, &error) && (text = reader_lines(reader, lines, LINES))) {
            table = delay_table_read(name, text, &error);
        }
        if (error) {
            reader_problem(reader, "%s", error->message);
        }
        if (table) {
            g_ptr_array_add(references, table);
        }
        g_hash_table_insert(ret, (char *)name, table);
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
