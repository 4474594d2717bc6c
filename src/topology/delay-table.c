/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "distem/delay-table.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "distem/error.h"

#define NUMBERS_IN_LINE 16
#define ID_BIT (UINT64_C(1) << 63) /* Set in all ids: no enum distribution is as large. */

/* Id -> struct delay_table, of all that there are; borrowed, and guarded by the lock, as their references are. */
static GHashTable *tables;
G_LOCK_DEFINE_STATIC(tables);

static void free_table(struct delay_table *table)
{
    g_free(table->name);
    g_array_unref(table->entries);
    g_free(table);
}

/* Returns the first 63 bits of a digest of the name and the numbers, and ID_BIT. */
static uint64_t compute_id(const struct delay_table *table)
{
    guint8 digest[32];
    gsize size = sizeof digest;
    uint64_t id = 0;
    GChecksum *checksum = g_checksum_new(G_CHECKSUM_SHA256);
    g_checksum_update(checksum, (const guchar *)table->name, (gssize)strlen(table->name) + 1);
    for (unsigned i = 0; i < table->entries->len; i++) { /* Not as they lie in memory: the same on all machines. */
        uint16_t entry = (uint16_t)g_array_index(table->entries, int16_t, i);
        const guchar bytes[] = {(guchar)(entry >> 8), (guchar)entry};
        g_checksum_update(checksum, bytes, sizeof bytes);
    }
    g_checksum_get_digest(checksum, digest, &size);
    g_checksum_free(checksum);
    for (unsigned i = 0; i < sizeof id; i++) {
        id = id << 8 | digest[i];
    }
    return id | ID_BIT;
}

static void compute_moments(struct delay_table *table)
{
    double sum = 0, squares = 0, n = table->entries->len;
    for (unsigned i = 0; i < table->entries->len; i++) {
        double entry = (double)g_array_index(table->entries, int16_t, i) / DELAY_TABLE_SCALE;
        sum += entry;
        squares += entry * entry;
    }
    table->mean = sum / n;
    table->deviation = sqrt(fmax(squares / n - table->mean * table->mean, 0));
}

static bool read_line(const char *line, unsigned number, struct delay_table *table, GError **error)
{
    g_auto(GStrv) words = g_strsplit_set(line, " \t\r", -1);
    for (unsigned i = 0; words[i]; i++) {
        char *end;
        errno = 0;
        long value = strtol(words[i], &end, 10);
        if (!*words[i]) {
            continue;
        }
        if (errno || *end || value < INT16_MIN || value > INT16_MAX) {
            g_autofree char *shown = g_strndup(words[i], 20);
            return fail(error, DISTEM_ERROR_INVALID, 0, "%s, line %u: \"%s\" is no whole number from %d to %d", table->name, number,
                        shown, INT16_MIN, INT16_MAX);
        }
        if (table->entries->len == DELAY_TABLE_MOST) {
            return fail(error, DISTEM_ERROR_INVALID, 0, "%s, line %u: a table has at most %d numbers", table->name, number,
                        DELAY_TABLE_MOST);
        }
        int16_t entry = (int16_t)value;
        g_array_append_val(table->entries, entry);
    }
    return true;
}

static bool read_text(const char *text, struct delay_table *table, GError **error)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (unsigned i = 0; lines[i]; i++) {
        lines[i][strcspn(lines[i], "#")] = '\0';
        if (!read_line(lines[i], i + 1, table, error)) {
            return false;
        }
    }
    return table->entries->len ||
           fail(error, DISTEM_ERROR_INVALID, 0, "%s: a table has at least one number, and here is none", table->name);
}

/* Returns a reference to the table that has the id of 'table', to 'table' itself if it is the first. */
static struct delay_table *register_table(struct delay_table *table)
{
    G_LOCK(tables);
    tables = tables ? tables : g_hash_table_new(g_int64_hash, g_int64_equal);
    struct delay_table *known = g_hash_table_lookup(tables, &table->id);
    if (!known) {
        g_hash_table_insert(tables, &table->id, table);
        known = table;
    }
    known->references++;
    G_UNLOCK(tables);
    return known;
}

struct delay_table *delay_table_read(const char *name, const char *text, GError **error)
{
    struct delay_table *table = g_new0(struct delay_table, 1);
    table->name = g_strdup(name);
    table->entries = g_array_new(FALSE, FALSE, sizeof(int16_t));
    if (!read_text(text, table, error)) {
        free_table(table);
        return NULL;
    }
    table->id = compute_id(table);
    compute_moments(table);
    struct delay_table *known = register_table(table);
    if (known != table) {
        free_table(table);
    }
    return known;
}

struct delay_table *delay_table_ref(struct delay_table *table)
{
    if (table) {
        G_LOCK(tables);
        table->references++;
        G_UNLOCK(tables);
    }
    return table;
}

void delay_table_unref(struct delay_table *table)
{
    if (!table) {
        return;
    }
    G_LOCK(tables);
    bool last = !--table->references;
    if (last) {
        g_hash_table_remove(tables, &table->id);
    }
    G_UNLOCK(tables);
    if (last) {
        free_table(table);
    }
}

struct delay_table *delay_table_find(uint64_t id)
{
    if (!(id & ID_BIT)) {
        return NULL;
    }
    G_LOCK(tables);
    struct delay_table *table = tables ? g_hash_table_lookup(tables, &id) : NULL;
    G_UNLOCK(tables);
    return table;
}

char *delay_table_text(const struct delay_table *table)
{
    GString *text = g_string_new(NULL);
    for (unsigned i = 0; i < table->entries->len; i++) {
        g_string_append_printf(text, "%s%d", !i ? "" : i % NUMBERS_IN_LINE ? " " : "\n", g_array_index(table->entries, int16_t, i));
    }
    return g_string_free(text, FALSE);
}

static void note_table(const struct impairment *impairment, GPtrArray *ret)
{
    const struct delay_table *table = delay_table_find(impairment->distribution);
    if (table && !g_ptr_array_find(ret, table, NULL)) {
        g_ptr_array_add(ret, (void *)table);
    }
}

GPtrArray *delay_tables_of(const struct platform *platform)
{
    GPtrArray *found = g_ptr_array_new();
    for (unsigned i = 0; i < platform->vnodes->len; i++) {
        const struct vnode *vnode = platform_vnode(platform, i);
        for (unsigned j = 0; j < vnode->vifaces->len; j++) {
            note_table(&vnode_viface(vnode, j)->input, found);
            note_table(&vnode_viface(vnode, j)->output, found);
        }
    }
    return found;
}
