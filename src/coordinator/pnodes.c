/* SPDX-License-Identifier: Apache-2.0 */
/* Pnodes: look, and remove. */
#include <config.h>

#include <inttypes.h>
#include <string.h>

#include "distem/log.h"
#include "distem/plan.h"
#include "internal.h"
#include "peers.h"

void pnodes_list(struct rest_request *request, void *context)
{
    struct coordinator *c = context;
    if (require_database(c, request)) {
        AUTO_PLATFORM platform = db_platform(c->db);
        g_autoptr(GPtrArray) pnodes = coordinator_pnodes(c);
        rest_reply(request, 200, json_pack("{s:o}", "pnodes", json_pnodes(pnodes, platform, platform ? db_generation(c->db) : 0)));
    }
}

/* A pnode that is being removed. */
struct removal {
    struct coordinator *c;
    struct rest_request *request;
    char *name;
    bool force;
    uint64_t generation; /* In which nothing is on it any more. */
};

static void removal_free(struct removal *removal)
{
    g_free(removal->name);
    g_free(removal);
}

static void log_failure(void *aux G_GNUC_UNUSED, const GError *error)
{
    if (error) {
        log_warning("coordinator", "a change of a pnode was not stored", "error=\"%s\"", error->message);
    }
}

/* Ends a removal; 'error' is NULL when the database has all of it. */
static void removal_done(void *aux, const GError *error)
{
    struct removal *removal = aux;
    if (error) {
        if (!removal->force) {
            db_drain_pnode(removal->c->db, removal->name, false, log_failure, NULL);
        }
        rest_reply_error(removal->request, g_error_copy(error), NULL);
    } else {
        log_info("coordinator", removal->force ? "a pnode was removed" : "a pnode is being emptied", "pnode=%s generation=%" PRIu64,
                 removal->name, removal->generation);
        rest_reply(removal->request, removal->force ? 200 : 202, json_pack("{s:I}", "generation", (json_int_t)removal->generation));
    }
    removal_free(removal);
}

/* Writes that pnode 'name' leaves, and 'next' (NULL: the platform stays as it is), which has nothing on it. */
static void store_removal(struct coordinator *c, struct rest_request *request, const char *name, bool force,
                          const struct platform *next)
{
    uint64_t generation = db_generation(c->db);
    struct removal *removal = g_new0(struct removal, 1);
    *removal = (struct removal){c, request, g_strdup(name), force, generation + (next != NULL)};
    db_done *first = next ? log_failure : removal_done;
    if (force) {
        db_remove_pnode(c->db, name, first, next ? NULL : removal);
    } else {
        db_drain_pnode(c->db, name, true, first, next ? NULL : removal);
    }
    if (next) {
        db_store_platform(c->db, next, generation, removal_done, removal);
    }
}

/* Returns the pnode of 'pnodes' that is to be removed, or NULL with an error. */
static struct pnode *find_removable(const struct coordinator *c, const GPtrArray *pnodes, const char *name, bool force,
                                    GError **error)
{
    struct pnode *pnode = (struct pnode *)find_pnode(pnodes, name);
    if (!pnode) {
        fail(error, DISTEM_ERROR_NOT_FOUND, 0, "there is no pnode \"%s\"", name);
        return NULL;
    }
    if (pnode_is_own(c, name)) {
        fail(error, DISTEM_ERROR_CONFLICT, 0, "pnode %s is the coordinator's own machine, which cannot be removed", name);
        return NULL;
    }
    if (pnode->lost && !force) {
        fail(error, DISTEM_ERROR_CONFLICT, 0, "pnode %s is lost and cannot hand over its vnodes: remove it with force", name);
        return NULL;
    }
    return pnode;
}

void pnode_delete(struct rest_request *request, void *context)
{
    struct coordinator *c = context;
    if (!require_database(c, request)) {
        return;
    }
    const char *name = rest_request_param(request, "pnode"), *said = rest_request_query(request, "force");
    bool force = said && !strcmp(said, "yes");
    g_autoptr(GPtrArray) pnodes = coordinator_pnodes(c);
    GError *error = NULL;
    struct pnode *pnode = find_removable(c, pnodes, name, force, &error);
    if (!pnode) {
        rest_reply_error(request, error, NULL);
        return;
    }
    AUTO_PLATFORM current = db_platform(c->db);
    AUTO_PLATFORM next = NULL;
    if (current) {
        AUTO_DIAGNOSTICS problems = {0};
        if (force) {
            g_ptr_array_remove(pnodes, pnode);
        } else {
            pnode->draining = true;
        }
        next = replan(current, pnodes, &problems, NULL);
        if (!next) {
            rest_reply_error(request,
                             g_error_new(DISTEM_ERROR, DISTEM_ERROR_CONFLICT,
                                         "pnode %s cannot be removed: its vnodes cannot go elsewhere", name),
                             &problems);
            return;
        }
    }
    g_autoptr(GPtrArray) changes = plan_diff(current, next);
    store_removal(c, request, name, force, changes->len ? next : NULL);
}

void pnodes_remove_empty(struct coordinator *c, const GPtrArray *pnodes)
{
    uint64_t generation = db_generation(c->db);
    g_autoptr(GHashTable) counts = NULL;
    AUTO_PLATFORM platform = NULL;
    for (unsigned i = 0; i < pnodes->len; i++) {
        const struct pnode *pnode = pnodes->pdata[i];
        if (!pnode->draining || pnode->lost || pnode->leaving || pnode->generation < generation) {
            continue;
        }
        if (!counts) {
            platform = db_platform(c->db);
            counts = count_vnodes(platform);
        }
        if (!g_hash_table_contains(counts, pnode->name)) {
            log_info("coordinator", "a pnode is empty and leaves", "pnode=%s", pnode->name);
            db_remove_pnode(c->db, pnode->name, log_failure, NULL);
        }
    }
}
