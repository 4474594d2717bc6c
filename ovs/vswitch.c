/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "distem/vswitch.h"

#include <stdio.h>
#include <string.h>

#include "distem/error.h"
#include "library.h"
#include "openvswitch/poll-loop.h"
#include "server-process.h"
#include "timeval.h"
#include "vswitch-impl.h"

/* Pause after a transaction that the database refused. */
#define RETRY_MS 1000
/* A database that does not answer for this time is an error. */
#define PATIENCE_MS 1000
/* A switch that has not acted on a change for this time, thousands of ports or not, does not run. */
#define SWITCH_PATIENCE_MS 30000

void vswitch_bridge_name(uint32_t vnetwork_id, char name[16])
{
    snprintf(name, 16, "db%" G_GUINT32_FORMAT, vnetwork_id);
}

struct vswitch *vswitch_open(const char *remote, const char *run_dir, const char *datapath_type, const char *owner)
{
    library_init();
    struct vswitch *vs = g_new0(struct vswitch, 1);
    vs->run_dir = g_strdup(run_dir);
    vs->datapath_type = g_strdup(datapath_type);
    vs->owner = g_strdup(owner);
    vs->bridges = bridges_new();
    vs->idl = rows_idl_new();
    ovsdb_idl_set_remote(vs->idl, remote, true);
    return vs;
}

void vswitch_close(struct vswitch *vs)
{
    if (vs) {
        if (vs->txn) {
            ovsdb_idl_txn_destroy(vs->txn);
        }
        ovsdb_idl_destroy(vs->idl);
        g_hash_table_unref(vs->bridges);
        g_free(vs->row_error);
        g_free(vs->port_error);
        g_free(vs->txn_error);
        g_free(vs->error);
        g_free(vs->run_dir);
        g_free(vs->datapath_type);
        g_free(vs->owner);
        g_free(vs);
    }
}

void vswitch_want(struct vswitch *vs, const GArray *wanted)
{
    bridges_want(vs->bridges, wanted);
    vs->rows_stale = true;
    vs->ports_stale = true;
    vs->is_settled = false;
    vs->retry_at = 0;
    vs->seqno++;
}

/* Goes on with the transaction on its way. */
static void finish_transaction(struct vswitch *vs)
{
    enum ovsdb_idl_txn_status status = ovsdb_idl_txn_commit(vs->txn);
    if (status == TXN_INCOMPLETE) {
        return;
    }
    g_clear_pointer(&vs->txn_error, g_free);
    vs->rows_stale = vs->ports_stale = true; /* Look again, at what came of it. */
    if (status == TXN_SUCCESS) {
        vs->n_transactions++;
        vs->wanted_cfg = ovsdb_idl_txn_get_increment_new_value(vs->txn);
    } else if (status == TXN_TRY_AGAIN) {
        vs->retry_at = time_msec() + RETRY_MS / 10;
    } else if (status != TXN_UNCHANGED) {
        vs->txn_error = g_strdup_printf("the database of Open vSwitch refused a change: %s", ovsdb_idl_txn_get_error(vs->txn));
        vs->retry_at = time_msec() + RETRY_MS;
    }
    g_clear_pointer(&vs->txn, ovsdb_idl_txn_destroy);
}

/* Compares the rows with what is wanted and sends the differences. */
static void compare_rows(struct vswitch *vs)
{
    const struct ovsrec_open_vswitch *root = ovsrec_open_vswitch_first(vs->idl);
    g_clear_pointer(&vs->row_error, g_free);
    vs->rows_stale = vs->reopening = false;
    if (!root) {
        vs->row_error = g_strdup("the database of Open vSwitch has no row in its table Open_vSwitch: run ovs-vsctl init");
        return;
    }
    vs->txn = ovsdb_idl_txn_create(vs->idl);
    if (rows_compare(vs, vs->txn)) {
        ovsdb_idl_txn_increment(vs->txn, &root->header_, &ovsrec_open_vswitch_col_next_cfg, false);
        finish_transaction(vs);
    } else {
        g_clear_pointer(&vs->txn, ovsdb_idl_txn_destroy);
    }
}

/* Says whether the switch has acted on our last transaction. */
static bool switch_has_acted(const struct vswitch *vs)
{
    const struct ovsrec_open_vswitch *root = ovsrec_open_vswitch_first(vs->idl);
    return root && !vs->txn && root->cur_cfg >= vs->wanted_cfg;
}

/* ... and that there is no other to come. */
static bool switch_is_current(const struct vswitch *vs)
{
    return !vs->rows_stale && switch_has_acted(vs);
}

/* Says whether rows are to be compared now. */
static bool must_compare(const struct vswitch *vs)
{
    return !vs->txn && vs->rows_stale && time_msec() >= vs->retry_at && (!vs->reopening || switch_has_acted(vs));
}

/* Keeps the rules of a bridge up. Returns whether they are in place. */
static bool run_bridge(struct vswitch *vs, struct bridge *bridge, bool may_connect)
{
    if (!bridge->conn && may_connect) {
        g_autofree char *path = g_strdup_printf("%s/%s.mgmt", vs->run_dir, bridge->name);
        bridge->conn = ofconn_new(path, &vs->n_rules);
        bridge->rules_stale = true;
    }
    if (!bridge->conn) {
        return false;
    }
    if (bridge->rules_stale) {
        struct rule_set *rules = bridge_rules(bridge);
        ofconn_want(bridge->conn, rules);
        rule_set_unref(rules);
        bridge->rules_stale = false;
    }
    ofconn_run(bridge->conn);
    return ofconn_is_synced(bridge->conn);
}

/* Returns the first thing that is wrong, to be freed, or NULL. */
static char *find_error(const struct vswitch *vs)
{
    if (vs->lost_at && time_msec() >= vs->lost_at + PATIENCE_MS) {
        return g_strdup("the database of Open vSwitch does not answer");
    }
    if (vs->behind_at && time_msec() >= vs->behind_at + SWITCH_PATIENCE_MS) {
        return g_strdup_printf("ovs-vswitchd has not acted on a change for %d s: does it run?", SWITCH_PATIENCE_MS / 1000);
    }
    const char *errors[] = {vs->txn_error, vs->row_error, vs->port_error};
    for (unsigned i = 0; i < G_N_ELEMENTS(errors); i++) {
        if (errors[i]) {
            return g_strdup(errors[i]);
        }
    }
    GHashTableIter iter;
    void *data;
    g_hash_table_iter_init(&iter, vs->bridges);
    while (g_hash_table_iter_next(&iter, NULL, &data)) {
        const struct bridge *bridge = data;
        if (bridge->conn && ofconn_error(bridge->conn)) {
            return g_strdup_printf("bridge %s: %s", bridge->name, ofconn_error(bridge->conn));
        }
    }
    return NULL;
}

/* Brings vs->error up to date. Returns whether it changed. */
static bool update_error(struct vswitch *vs)
{
    char *error = find_error(vs);
    bool changed = g_strcmp0(error, vs->error) != 0;
    g_free(vs->error);
    vs->error = error;
    return changed;
}

void vswitch_run(struct vswitch *vs)
{
    ovsdb_idl_run(vs->idl);
    bool usable = ovsdb_idl_has_ever_connected(vs->idl) && ovsdb_idl_is_connected(vs->idl);
    if (usable || !vs->lost_at) {
        vs->lost_at = usable ? 0 : time_msec();
    }
    if (vs->txn) {
        finish_transaction(vs);
    }
    if (usable && vs->idl_seqno != ovsdb_idl_get_seqno(vs->idl)) {
        vs->idl_seqno = ovsdb_idl_get_seqno(vs->idl);
        vs->rows_stale = vs->ports_stale = true;
    }
    if (usable && must_compare(vs)) {
        compare_rows(vs);
    }
    if (usable && vs->ports_stale) {
        rows_read_ofports(vs, switch_is_current(vs));
        vs->ports_stale = false;
    }
    bool may_connect = usable && switch_is_current(vs);
    if (!usable || may_connect || !vs->behind_at) {
        vs->behind_at = !usable || may_connect ? 0 : time_msec();
    }
    bool settled = may_connect && vs->ports_open;
    GHashTableIter iter;
    void *bridge;
    g_hash_table_iter_init(&iter, vs->bridges);
    while (g_hash_table_iter_next(&iter, NULL, &bridge)) {
        settled &= run_bridge(vs, bridge, may_connect);
    }
    bool changed = update_error(vs);
    settled &= !vs->error;
    if (changed || settled != vs->is_settled) {
        vs->is_settled = settled;
        vs->seqno++;
    }
}

void vswitch_wait(struct vswitch *vs)
{
    ovsdb_idl_wait(vs->idl);
    if (vs->lost_at && time_msec() < vs->lost_at + PATIENCE_MS) {
        poll_timer_wait_until(vs->lost_at + PATIENCE_MS);
    }
    if (vs->behind_at && time_msec() < vs->behind_at + SWITCH_PATIENCE_MS) {
        poll_timer_wait_until(vs->behind_at + SWITCH_PATIENCE_MS);
    }
    if (vs->txn) {
        ovsdb_idl_txn_wait(vs->txn);
    } else if (vs->rows_stale && !vs->reopening && ovsdb_idl_is_connected(vs->idl)) {
        poll_timer_wait_until(vs->retry_at);
    }
    GHashTableIter iter;
    void *data;
    g_hash_table_iter_init(&iter, vs->bridges);
    while (g_hash_table_iter_next(&iter, NULL, &data)) {
        struct bridge *bridge = data;
        if (bridge->rules_stale && bridge->conn) {
            poll_immediate_wake();
        }
        if (bridge->conn) {
            ofconn_wait(bridge->conn);
        }
    }
}

bool vswitch_is_settled(const struct vswitch *vs)
{
    return vs->is_settled;
}

const char *vswitch_error(const struct vswitch *vs)
{
    return vs->error;
}

unsigned vswitch_seqno(const struct vswitch *vs)
{
    return vs->seqno;
}

void vswitch_counters(const struct vswitch *vs, uint64_t *ret_transactions, uint64_t *ret_rules)
{
    *ret_transactions = vs->n_transactions;
    *ret_rules = vs->n_rules;
}

char *vswitch_trace(const struct vswitch *vs, uint32_t vnetwork_id, const char *flow, GError **error)
{
    char bridge[16];
    vswitch_bridge_name(vnetwork_id, bridge);
    if (!g_hash_table_contains(vs->bridges, bridge)) {
        fail(error, DISTEM_ERROR_NOT_FOUND, 0, "there is no bridge %s on this machine", bridge);
        return NULL;
    }
    g_autofree char *pid_file = g_strdup_printf("%s/ovs-vswitchd.pid", vs->run_dir);
    g_autofree char *ours = g_strdup_printf("%s/ovs-vswitchd.ctl", vs->run_dir);
    g_autofree char *theirs = g_strdup_printf("%s/ovs-vswitchd.%d.ctl", vs->run_dir, (int)process_running(pid_file));
    const char *ctl = g_file_test(ours, G_FILE_TEST_EXISTS) ? ours : theirs;
    const char *const argv[] = {"ovs-appctl", "-T2", "-t", ctl, "ofproto/trace", "--names", bridge, flow, NULL};
    return process_run(argv, vs->run_dir, NULL, error);
}
