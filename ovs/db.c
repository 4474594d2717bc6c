/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "distem/db.h"

#include <string.h>

#include "db-impl.h"
#include "library.h"
#include "openvswitch/poll-loop.h"
#include "timeval.h"
#include "util.h"

/* A refused transaction is tried again when the copy has changed, which is what it waits for; at the latest after this time,
 * for a change that arrived before it was refused. */
#define RETRY_MS 100
/* A server that has said nothing for this long is asked whether it is there, and left when it has not answered after as long again.
 * A large transaction keeps it from answering for some 10 s: it is not dead then. Where there are other servers, one that hangs is
 * left sooner. */
#define PROBE_MS 30000
#define PROBE_CLUSTER_MS 10000

static void request_free(void *data)
{
    struct request *request = data;
    platform_free(request->platform);
    pnode_free(request->pnode);
    g_free(request->change);
    g_free(request->name);
    if (request->reports) {
        g_array_unref(request->reports);
    }
    g_free(request);
}

struct db *db_open(const char *remote, const char *pnode)
{
    library_init();
    struct db *db = g_new0(struct db, 1);
    g_queue_init(&db->requests);
    db->matrix = g_new0(struct matrix_read, 1);
    smap_init(&db->matrix->rows);
    db->idl = ovsdb_idl_create_unconnected(&distemrec_idl_class, true);
    ovsdb_idl_set_write_changed_only_all(db->idl, true);
    db->vnodes_by_id = ovsdb_idl_index_create1(db->idl, &distemrec_vnode_col_id);
    if (pnode) {
        db_follow_start(db, pnode);
    }
    /* Any server of a cluster will do: a change is refused when what it was made from was not the newest. To look for the leader
     * takes up to 15 s when there is a new one, with pauses that grow. */
    ovsdb_idl_set_leader_only(db->idl, false);
    ovsdb_idl_set_remote(db->idl, remote, true);
    ovsdb_idl_set_probe_interval(db->idl, strchr(remote, ',') ? PROBE_CLUSTER_MS : PROBE_MS);
    return db;
}

void db_close(struct db *db)
{
    if (db) {
        if (db->txn) {
            ovsdb_idl_txn_destroy(db->txn);
        }
        g_queue_clear_full(&db->requests, request_free);
        ovsdb_idl_destroy(db->idl);
        db_follow_stop(db);
        matrix_unref(db->matrix->matrix);
        smap_destroy(&db->matrix->rows);
        g_free(db->matrix);
        g_free(db);
    }
}

/* Takes the head off the queue and tells whoever asked. 'error' is freed. */
static void finish_head(struct db *db, GError *error)
{
    struct request *request = g_queue_pop_head(&db->requests);
    db->retry_at = 0;
    if (request->done) {
        request->done(request->aux, error);
    }
    g_clear_error(&error);
    request_free(request);
}

/* Ends or goes on with the head's transaction. Returns whether the head has been dealt with. */
static bool commit_head(struct db *db)
{
    enum ovsdb_idl_txn_status status = ovsdb_idl_txn_commit(db->txn);
    if (status == TXN_INCOMPLETE) {
        return false;
    }
    struct request *request = g_queue_peek_head(&db->requests);
    g_autofree char *reason = g_strdup(ovsdb_idl_txn_get_error(db->txn));
    g_clear_pointer(&db->txn, ovsdb_idl_txn_destroy);
    if (status == TXN_SUCCESS || status == TXN_UNCHANGED) {
        finish_head(db, NULL);
        return true;
    }
    if (status == TXN_TRY_AGAIN || !request->refused) {
        request->refused = status != TXN_TRY_AGAIN;
        db->retry_at = time_msec() + RETRY_MS;
        return false;
    }
    finish_head(db, g_error_new(DISTEM_ERROR, DISTEM_ERROR_SYSTEM, "the Distem database refused a change: %s", reason));
    return true;
}

/* Makes and sends the head's transaction. Returns whether the head has been dealt with. */
static bool start_head(struct db *db)
{
    const struct request *request = g_queue_peek_head(&db->requests);
    GError *error = NULL;
    db->txn = ovsdb_idl_txn_create(db->idl);
    db->txn_seqno = ovsdb_idl_get_seqno(db->idl);
    if (!request->write(db, db->txn, request, &error)) {
        g_clear_pointer(&db->txn, ovsdb_idl_txn_destroy);
        finish_head(db, error);
        return true;
    }
    return commit_head(db);
}

/* Says whether the head may be (re)started now. */
static bool may_start(const struct db *db)
{
    return db_is_ready(db) && db_is_connected(db) &&
           (!db->retry_at || db->txn_seqno != ovsdb_idl_get_seqno(db->idl) || time_msec() >= db->retry_at);
}

void db_run(struct db *db)
{
    unsigned before = ovsdb_idl_get_seqno(db->idl);
    ovsdb_idl_run(db->idl);
    db_follow(db, before);
    bool dealt_with = true;
    while (dealt_with && !g_queue_is_empty(&db->requests)) {
        if (db->txn) {
            dealt_with = commit_head(db);
        } else {
            dealt_with = may_start(db) && start_head(db);
        }
    }
}

void db_wait(struct db *db)
{
    ovsdb_idl_wait(db->idl);
    if (db->txn) {
        ovsdb_idl_txn_wait(db->txn);
    } else if (!g_queue_is_empty(&db->requests)) {
        if (may_start(db)) {
            poll_immediate_wake();
        } else if (db->retry_at && db_is_connected(db)) {
            poll_timer_wait_until(db->retry_at);
        }
    }
}

bool db_is_ready(const struct db *db)
{
    return ovsdb_idl_has_ever_connected(db->idl);
}

bool db_is_complete(const struct db *db)
{
    return db_is_ready(db) && !db->is_following;
}

bool db_is_connected(const struct db *db)
{
    return ovsdb_idl_is_connected(db->idl);
}

unsigned db_seqno(const struct db *db)
{
    return ovsdb_idl_get_seqno(db->idl) + db->completions;
}

static struct request *add_request(struct db *db, request_write *write, db_done *done, void *aux)
{
    struct request *request = g_new0(struct request, 1);
    request->write = write;
    request->done = done;
    request->aux = aux;
    g_queue_push_tail(&db->requests, request);
    return request;
}

void db_store_platform(struct db *db, const struct platform *next, uint64_t generation, db_done *done, void *aux)
{
    struct request *request = add_request(db, db_write_platform, done, aux);
    request->platform = next ? platform_copy(next) : NULL;
    request->generation = generation;
    request->change = g_uuid_string_random();
}

void db_start_playbacks(struct db *db, int64_t start, uint64_t generation, db_done *done, void *aux)
{
    struct request *request = add_request(db, db_write_playback_start, done, aux);
    request->generation = generation;
    request->start = start;
}

void db_introduce_pnode(struct db *db, const struct pnode *pnode, db_done *done, void *aux)
{
    add_request(db, db_write_pnode, done, aux)->pnode = pnode_copy(pnode);
}

void db_report_pnode(struct db *db, const struct pnode *pnode, db_done *done, void *aux)
{
    add_request(db, db_write_pnode_state, done, aux)->pnode = pnode_copy(pnode);
}

void db_drain_pnode(struct db *db, const char *name, bool draining, db_done *done, void *aux)
{
    struct request *request = add_request(db, db_write_draining, done, aux);
    request->name = g_strdup(name);
    request->draining = draining;
}

void db_remove_pnode(struct db *db, const char *name, db_done *done, void *aux)
{
    add_request(db, db_write_remove_pnode, done, aux)->name = g_strdup(name);
}

static void report_clear(void *data)
{
    struct report *report = data;
    g_free(report->error);
}

void db_report_vnodes(struct db *db, const GPtrArray *vnodes, db_done *done, void *aux)
{
    GArray *reports = g_array_sized_new(FALSE, TRUE, sizeof(struct report), vnodes->len);
    g_array_set_clear_func(reports, report_clear);
    for (unsigned i = 0; i < vnodes->len; i++) {
        const struct vnode *vnode = vnodes->pdata[i];
        struct report report = {.id = vnode->id, .state = vnode->state, .pid = vnode->pid, .error = g_strdup(vnode->error)};
        g_array_append_val(reports, report);
    }
    add_request(db, db_write_reports, done, aux)->reports = reports;
}
