/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "distem/error.h"
#include "library.h"
#include "openvswitch/poll-loop.h"
#include "timeval.h"
#include "vswitch-impl.h"

/* Waits once for something to happen on 'idl', at most until 'deadline'. Returns false when that has passed. */
static bool wait_turn(struct ovsdb_idl *idl, int64_t deadline)
{
    if (time_msec() >= deadline) {
        return false;
    }
    ovsdb_idl_wait(idl);
    poll_timer_wait_until(deadline);
    poll_block();
    ovsdb_idl_run(idl);
    return true;
}

/* Deletes the bridges of 'owner' and waits for the switch to have done it. */
static bool remove_bridges(struct ovsdb_idl *idl, const char *owner, int64_t deadline, GError **error)
{
    const struct ovsrec_open_vswitch *root = ovsrec_open_vswitch_first(idl);
    struct ovsdb_idl_txn *txn = ovsdb_idl_txn_create(idl);
    const struct ovsrec_bridge *row;
    OVSREC_BRIDGE_FOR_EACH (row, idl) {
        if (rows_owned(&row->external_ids, owner)) {
            ovsrec_open_vswitch_update_bridges_delvalue(root, row);
        }
    }
    const struct ovsrec_qos *qos, *next;
    OVSREC_QOS_FOR_EACH_SAFE(qos, next, idl)
    {
        if (rows_owned(&qos->external_ids, owner)) {
            rows_delete_qos(idl, qos);
        }
    }
    ovsdb_idl_txn_increment(txn, &root->header_, &ovsrec_open_vswitch_col_next_cfg, false);
    enum ovsdb_idl_txn_status status;
    while ((status = ovsdb_idl_txn_commit(txn)) == TXN_INCOMPLETE && wait_turn(idl, deadline)) {
    }
    int64_t next_cfg = status == TXN_SUCCESS ? ovsdb_idl_txn_get_increment_new_value(txn) : 0;
    g_autofree char *reason = g_strdup(ovsdb_idl_txn_get_error(txn));
    ovsdb_idl_txn_destroy(txn);
    if (status != TXN_SUCCESS) {
        return fail(error, DISTEM_ERROR_UNAVAILABLE, 0, "the database of Open vSwitch did not take the removal of our bridges: %s",
                    status == TXN_ERROR ? reason : ovsdb_idl_txn_status_to_string(status));
    }
    /* Where no ovs-vswitchd runs, there is nothing to wait for but the time-out. */
    while ((root = ovsrec_open_vswitch_first(idl)) && root->cur_cfg < next_cfg && wait_turn(idl, deadline)) {
    }
    return true;
}

GPtrArray *vswitch_purge(const char *remote, const char *owner, bool remove, int timeout_ms, GError **error)
{
    library_init();
    int64_t deadline = time_msec() + timeout_ms;
    struct ovsdb_idl *idl = rows_idl_new();
    ovsdb_idl_set_remote(idl, remote, true);
    ovsdb_idl_run(idl);
    while (!ovsdb_idl_has_ever_connected(idl) && wait_turn(idl, deadline)) {
    }
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    const struct ovsrec_bridge *row;
    OVSREC_BRIDGE_FOR_EACH (row, idl) {
        if (rows_owned(&row->external_ids, owner)) {
            g_ptr_array_add(names, g_strdup(row->name));
        }
    }
    bool ok = true;
    if (!ovsdb_idl_has_ever_connected(idl)) {
        ok = fail(error, DISTEM_ERROR_UNAVAILABLE, 0, "the database of Open vSwitch does not answer on %s", remote);
    } else if (remove && names->len) {
        ok = remove_bridges(idl, owner, deadline, error);
    }
    ovsdb_idl_destroy(idl);
    return ok ? g_steal_pointer(&names) : NULL;
}
