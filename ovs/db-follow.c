/* SPDX-License-Identifier: Apache-2.0 */
/* What a pnode monitors: conditions that follow the vnetworks on which its vifaces are. */
#include <config.h>

#include "db-impl.h"
#include "util.h"

#include <string.h>

/* Adds "'column' == 'atom'" to 'condition'. */
static void or_equals(struct ovsdb_idl_condition *condition, const struct ovsdb_idl_column *column, const union ovsdb_atom *atom)
{
    struct ovsdb_datum datum;
    ovsdb_datum_init_empty(&datum);
    ovsdb_datum_add_unsafe(&datum, atom, NULL, &column->type, NULL);
    ovsdb_idl_condition_add_clause(condition, OVSDB_F_EQ, column, &datum);
    ovsdb_datum_destroy(&datum, &column->type);
}

static void or_text(struct ovsdb_idl_condition *condition, const struct ovsdb_idl_column *column, const char *text)
{
    union ovsdb_atom atom = {.s = ovsdb_atom_string_create(text)};
    or_equals(condition, column, &atom);
    ovsdb_atom_destroy(&atom, OVSDB_TYPE_STRING);
}

/* Restricts a table to the rows whose 'column' is the pnode; without a column: to no rows. */
static void monitor_own(const struct db *db, const struct ovsdb_idl_table_class *table, const struct ovsdb_idl_column *column)
{
    struct ovsdb_idl_condition condition;
    ovsdb_idl_condition_init(&condition);
    if (column) {
        or_text(&condition, column, db->pnode);
    }
    ovsdb_idl_set_condition(db->idl, table, &condition);
    ovsdb_idl_condition_destroy(&condition);
}

/* Makes the conditions for the vnetworks in 'db->followed'. */
static void make_conditions(struct db *db)
{
    ovsdb_idl_condition_clear(&db->vifaces_monitored);
    ovsdb_idl_condition_clear(&db->vnetworks_monitored);
    or_text(&db->vifaces_monitored, &distemrec_viface_col_pnode, db->pnode);
    GHashTableIter iter;
    gpointer id;
    g_hash_table_iter_init(&iter, db->followed);
    while (g_hash_table_iter_next(&iter, &id, NULL)) {
        union ovsdb_atom atom = {.integer = GPOINTER_TO_UINT(id)};
        or_equals(&db->vifaces_monitored, &distemrec_viface_col_vnetwork, &atom);
        or_equals(&db->vnetworks_monitored, &distemrec_vnetwork_col_id, &atom);
    }
}

/* Asks for the rows that the conditions say; asking again for the same changes nothing. Returns whether the server has answered. */
static bool ask(struct db *db)
{
    unsigned vifaces = ovsdb_idl_set_condition(db->idl, &distemrec_table_viface, &db->vifaces_monitored);
    unsigned vnetworks = ovsdb_idl_set_condition(db->idl, &distemrec_table_vnetwork, &db->vnetworks_monitored);
    unsigned answered = ovsdb_idl_get_condition_seqno(db->idl);
    return vifaces == answered && vnetworks == answered;
}

void db_follow_start(struct db *db, const char *pnode)
{
    db->pnode = g_strdup(pnode);
    db->followed = g_hash_table_new(NULL, NULL);
    ovsdb_idl_condition_init(&db->vifaces_monitored);
    ovsdb_idl_condition_init(&db->vnetworks_monitored);
    monitor_own(db, &distemrec_table_pnode_state, &distemrec_pnode_state_col_pnode);
    monitor_own(db, &distemrec_table_vnode, &distemrec_vnode_col_pnode);
    monitor_own(db, &distemrec_table_route_table, &distemrec_route_table_col_pnode);
    monitor_own(db, &distemrec_table_vroute, NULL);
    make_conditions(db);
    (void)ask(db);
    /* What it reports itself is no news. */
    for (unsigned i = 0; i < DISTEMREC_PNODE_STATE_N_COLUMNS; i++) {
        ovsdb_idl_omit_alert(db->idl, &distemrec_pnode_state_columns[i]);
    }
}

void db_follow_stop(struct db *db)
{
    if (db->pnode) {
        ovsdb_idl_condition_destroy(&db->vifaces_monitored);
        ovsdb_idl_condition_destroy(&db->vnetworks_monitored);
        g_hash_table_unref(db->followed);
        g_free(db->pnode);
    }
}

static bool same_ids(GHashTable *a, GHashTable *b)
{
    GHashTableIter iter;
    gpointer id;
    g_hash_table_iter_init(&iter, a);
    while (g_hash_table_iter_next(&iter, &id, NULL)) {
        if (!g_hash_table_contains(b, id)) {
            return false;
        }
    }
    return g_hash_table_size(a) == g_hash_table_size(b);
}

/* Says whether the rows that were asked for are there. The answer to a change of conditions comes behind the rows, and counts up
 * the conditions' number. Where the connection broke before it, libopenvswitch 3.1 either asks again, or monitors with the new
 * conditions from the start and calls them answered at once: then the rows come with the first update, which always changes the
 * copy's seqno. 'before' is that seqno before the last run. */
static bool has_arrived(struct db *db, unsigned before)
{
    unsigned answered = ovsdb_idl_get_condition_seqno(db->idl);
    if (!ask(db)) {
        db->answers = answered;
        db->resyncs = false;
        return false;
    }
    if (answered != db->answers) {
        return true;
    }
    if (!db->resyncs) {
        db->resyncs = true;
        db->resync_seqno = before;
    }
    return db->resync_seqno != ovsdb_idl_get_seqno(db->idl);
}

void db_follow(struct db *db, unsigned before)
{
    if (!db->pnode || !db_is_ready(db)) {
        return;
    }
    if (before != ovsdb_idl_get_seqno(db->idl)) {
        g_autoptr(GHashTable) wanted = db_own_vnetworks(db, db->pnode);
        if (!same_ids(wanted, db->followed)) {
            g_hash_table_unref(db->followed);
            db->followed = g_steal_pointer(&wanted);
            make_conditions(db);
            db->is_following = true;
            db->answers = ovsdb_idl_get_condition_seqno(db->idl);
            db->resyncs = false;
            (void)ask(db);
            return;
        }
    }
    if (db->is_following && has_arrived(db, before)) {
        db->is_following = false;
        db->completions++;
    }
}
