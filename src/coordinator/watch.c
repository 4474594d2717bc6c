/* SPDX-License-Identifier: Apache-2.0 */
/* Which pnodes are lost. */
#include <config.h>

#include "distem/log.h"
#include "distem/poll.h"
#include "internal.h"

#define LOST_AFTER_MS 20000
#define INTERVAL_MS 1000
/* When the loop did not turn for so long, the others' signs may wait to be read. */
#define DEAF_AFTER_MS 5000

/* What was last heard of a pnode. */
struct sign {
    uint64_t heartbeat;
    int64_t since; /* When it came, by poll_now_ms(). */
    bool lost;     /* As logged last. */
};

GHashTable *watch_new(void)
{
    return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
}

const struct pnode *find_pnode(const GPtrArray *pnodes, const char *name)
{
    for (unsigned i = 0; i < pnodes->len; i++) {
        const struct pnode *pnode = pnodes->pdata[i];
        if (!g_strcmp0(pnode->name, name)) {
            return pnode;
        }
    }
    return NULL;
}

static struct sign *find_sign(struct coordinator *c, const struct pnode *pnode)
{
    struct sign *sign = g_hash_table_lookup(c->signs, pnode->name);
    if (!sign) {
        sign = g_new0(struct sign, 1);
        sign->since = poll_now_ms();
        g_hash_table_insert(c->signs, g_strdup(pnode->name), sign);
    }
    if (sign->heartbeat != pnode->heartbeat) {
        sign->heartbeat = pnode->heartbeat;
        sign->since = poll_now_ms();
    }
    return sign;
}

GPtrArray *coordinator_pnodes(struct coordinator *c)
{
    GPtrArray *pnodes = db_pnodes(c->db);
    for (unsigned i = 0; i < pnodes->len; i++) {
        struct pnode *pnode = pnodes->pdata[i];
        pnode->lost = poll_now_ms() - find_sign(c, pnode)->since >= LOST_AFTER_MS;
    }
    return pnodes;
}

/* Forgets the pnodes that have been removed. While nothing could be heard, silence says nothing: the time begins anew. */
static void tend_signs(struct coordinator *c, const GPtrArray *pnodes, bool deaf)
{
    if (!deaf && g_hash_table_size(c->signs) == pnodes->len) {
        return;
    }
    GHashTableIter iter;
    gpointer name, value;
    g_hash_table_iter_init(&iter, c->signs);
    while (g_hash_table_iter_next(&iter, &name, &value)) {
        if (!find_pnode(pnodes, name)) {
            g_hash_table_iter_remove(&iter);
        } else if (deaf) {
            ((struct sign *)value)->since = poll_now_ms();
        }
    }
}

static void log_losses(struct coordinator *c, const GPtrArray *pnodes)
{
    for (unsigned i = 0; i < pnodes->len; i++) {
        const struct pnode *pnode = pnodes->pdata[i];
        struct sign *sign = find_sign(c, pnode);
        if (sign->lost != pnode->lost) {
            sign->lost = pnode->lost;
            if (pnode->lost) {
                log_warning("coordinator", "a pnode is lost", "pnode=%s silent_ms=%d", pnode->name, LOST_AFTER_MS);
            } else {
                log_info("coordinator", "a lost pnode is back", "pnode=%s", pnode->name);
            }
        }
    }
}

void watch_run(struct coordinator *c)
{
    int64_t now = poll_now_ms();
    if (now < c->next_watch || !db_is_ready(c->db)) {
        return;
    }
    bool deaf = !db_is_connected(c->db) || now - c->next_watch > DEAF_AFTER_MS;
    c->next_watch = now + INTERVAL_MS;
    /* Twice: what was heard just now counts. */
    g_autoptr(GPtrArray) before = coordinator_pnodes(c);
    tend_signs(c, before, deaf);
    g_autoptr(GPtrArray) pnodes = coordinator_pnodes(c);
    log_losses(c, pnodes);
    pnodes_remove_empty(c, pnodes);
}

void watch_wait(struct coordinator *c)
{
    poll_wait_until(c->next_watch);
}
