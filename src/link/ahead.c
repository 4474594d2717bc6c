/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "ahead.h"

#include <errno.h>
#include <net/if.h>
#include <string.h>

#include <bpf/bpf.h>

#include "distem/error.h"

#include "matrix-bpf.h"

struct ahead {
    int neighbours, receivers;
    GHashTable *senders;  /* Of those that leave something out: struct matrix_neighbour -> int64_t, how early. */
    GHashTable *greatest; /* Id of a vnetwork -> int64_t: that of the earliest, which belongs to 'senders'. */
};

static guint hash_neighbour(gconstpointer key)
{
    const struct matrix_neighbour *neighbour = key;
    guint hash = neighbour->vnetwork;
    for (unsigned i = 0; i < sizeof neighbour->mac; i++) {
        hash = hash * 33 + neighbour->mac[i];
    }
    return hash;
}

static gboolean equal_neighbours(gconstpointer a, gconstpointer b)
{
    return !memcmp(a, b, sizeof(struct matrix_neighbour));
}

struct ahead *ahead_new(void)
{
    struct ahead *ahead = g_new0(struct ahead, 1);
    ahead->neighbours = ahead->receivers = -1;
    ahead->senders = g_hash_table_new_full(hash_neighbour, equal_neighbours, g_free, g_free);
    ahead->greatest = g_hash_table_new(NULL, NULL);
    return ahead;
}

void ahead_free(struct ahead *ahead)
{
    g_hash_table_unref(ahead->senders);
    g_hash_table_unref(ahead->greatest);
    g_free(ahead);
}

/* Notes a viface as a sender. Where the base is not known, nothing is left out. */
static void add_sender(struct ahead *ahead, const struct viface *viface)
{
    struct matrix_neighbour key = {.vnetwork = viface->vnetwork->id};
    gpointer vnetwork = GUINT_TO_POINTER(key.vnetwork);
    memcpy(key.mac, viface->mac.bytes, sizeof key.mac);
    int64_t *early = g_new(int64_t, 1);
    *early = viface->output.compensation - viface->vnetwork->base_local;
    g_hash_table_replace(ahead->senders, g_memdup2(&key, sizeof key), early);
    const int64_t *greatest = g_hash_table_lookup(ahead->greatest, vnetwork);
    if (!greatest || *early > *greatest) {
        g_hash_table_insert(ahead->greatest, vnetwork, early);
    }
}

bool ahead_survey(struct ahead *ahead, const GPtrArray *vnodes)
{
    bool any = false;
    g_hash_table_remove_all(ahead->greatest);
    g_hash_table_remove_all(ahead->senders);
    for (unsigned pass = 0; pass < 2; pass++) { /* Whom a viface is near to is known once all are noted. */
        for (unsigned i = 0; i < vnodes->len; i++) {
            const struct vnode *vnode = vnodes->pdata[i];
            for (unsigned k = 0; k < vnode->vifaces->len; k++) {
                const struct viface *viface = vnode_viface(vnode, k);
                if (pass) {
                    any |= ahead_holds(ahead, viface);
                } else if (viface->vnetwork->base_local) {
                    add_sender(ahead, viface);
                }
            }
        }
    }
    return any;
}

bool ahead_holds(const struct ahead *ahead, const struct viface *viface)
{
    const int64_t *greatest = g_hash_table_lookup(ahead->greatest, GUINT_TO_POINTER(viface->vnetwork->id));
    return greatest && *greatest + viface->input.compensation > 0;
}

void ahead_use(struct ahead *ahead, int neighbours, int receivers)
{
    ahead->neighbours = neighbours;
    ahead->receivers = receivers;
}

/* Forgets senders that are not known any more. */
static void forget_senders(const struct ahead *ahead)
{
    struct matrix_neighbour key, next;
    int result = bpf_map_get_next_key(ahead->neighbours, NULL, &next);
    while (result == 0) {
        key = next;
        result = bpf_map_get_next_key(ahead->neighbours, &key, &next);
        if (!g_hash_table_contains(ahead->senders, &key)) {
            bpf_map_delete_elem(ahead->neighbours, &key);
        }
    }
}

/* Forgets receivers whose devices are gone. */
static void forget_receivers(const struct ahead *ahead)
{
    uint32_t key, next;
    char name[IF_NAMESIZE];
    int result = bpf_map_get_next_key(ahead->receivers, NULL, &next);
    while (result == 0) {
        key = next;
        result = bpf_map_get_next_key(ahead->receivers, &key, &next);
        if (!if_indextoname(key, name)) {
            bpf_map_delete_elem(ahead->receivers, &key);
        }
    }
}

bool ahead_write(struct ahead *ahead, GError **error)
{
    GHashTableIter iter;
    gpointer key, early;
    forget_receivers(ahead);
    forget_senders(ahead);
    g_hash_table_iter_init(&iter, ahead->senders);
    while (g_hash_table_iter_next(&iter, &key, &early)) {
        if (bpf_map_update_elem(ahead->neighbours, key, early, BPF_ANY)) {
            return fail(error, DISTEM_ERROR_SYSTEM, errno, "cannot enter a neighbour into the latency matrix");
        }
    }
    return true;
}

bool ahead_set_receiver(const struct ahead *ahead, const struct viface *viface, uint32_t ifindex, GError **error)
{
    const struct matrix_receiver receiver = {
        .ahead = viface->input.compensation, .base = viface->vnetwork->base_remote, .vnetwork = viface->vnetwork->id};
    return bpf_map_update_elem(ahead->receivers, &ifindex, &receiver, BPF_ANY) == 0 ||
           fail(error, DISTEM_ERROR_SYSTEM, errno, "cannot enter viface %s into the latency matrix", viface->name);
}
