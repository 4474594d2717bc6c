/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "fake-db.h"

#include "distem/error.h"

static void free_pnode(gpointer pnode)
{
    pnode_free(pnode);
}

struct db *fake_db_new(void)
{
    struct db *db = g_new0(struct db, 1);
    db->pnodes = g_ptr_array_new_with_free_func(free_pnode);
    return db;
}

void db_close(struct db *db)
{
    platform_free(db->platform);
    g_ptr_array_unref(db->pnodes);
    g_free(db);
}

struct pnode *fake_db_pnode(const struct db *db, const char *name)
{
    for (unsigned i = 0; i < db->pnodes->len; i++) {
        struct pnode *pnode = db->pnodes->pdata[i];
        if (!g_strcmp0(pnode->name, name)) {
            return pnode;
        }
    }
    return NULL;
}

bool db_is_ready(const struct db *db)
{
    return db;
}

bool db_is_connected(const struct db *db)
{
    return !db->disconnected;
}

struct platform *db_platform(const struct db *db)
{
    return db->platform ? platform_copy(db->platform) : NULL;
}

uint64_t db_generation(const struct db *db)
{
    return db->generation;
}

GPtrArray *db_pnodes(const struct db *db)
{
    GPtrArray *copies = g_ptr_array_new_with_free_func(free_pnode);
    for (unsigned i = 0; i < db->pnodes->len; i++) {
        g_ptr_array_add(copies, pnode_copy(db->pnodes->pdata[i]));
    }
    return copies;
}

void db_store_platform(struct db *db, const struct platform *next, uint64_t generation, db_done *done, void *aux)
{
    g_autoptr(GError) error = NULL;
    if (db->refuses || generation != db->generation) {
        fail(&error, DISTEM_ERROR_CONFLICT, 0, "the platform has changed meanwhile");
    } else {
        platform_free(db->platform);
        db->platform = next ? platform_copy(next) : NULL;
        db->generation++;
    }
    if (done) {
        done(aux, error);
    }
}

void db_drain_pnode(struct db *db, const char *name, bool draining, db_done *done, void *aux)
{
    fake_db_pnode(db, name)->draining = draining;
    if (done) {
        done(aux, NULL);
    }
}

void db_remove_pnode(struct db *db, const char *name, db_done *done, void *aux)
{
    struct pnode *pnode = fake_db_pnode(db, name);
    if (pnode) {
        g_ptr_array_remove(db->pnodes, pnode);
    }
    if (done) {
        done(aux, NULL);
    }
}

unsigned db_seqno(const struct db *db)
{
    return (unsigned)db->generation + 1;
}

bool db_has_playbacks(const struct db *db)
{
    return db->platform && db->platform->playbacks->len;
}

int64_t db_playback_start(const struct db *db)
{
    return db->start;
}

void db_start_playbacks(struct db *db, int64_t start, uint64_t generation G_GNUC_UNUSED, db_done *done, void *aux)
{
    db->start = start;
    done(aux, NULL);
}
