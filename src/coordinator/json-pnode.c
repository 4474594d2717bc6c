/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "distem/units.h"
#include "internal.h"

json_t *text_or_null(const char *text)
{
    return text && *text ? json_string(text) : json_null();
}

json_t *number_or_null(uint64_t number)
{
    return number ? json_integer((json_int_t)number) : json_null();
}

uint64_t realised_generation(const GPtrArray *pnodes, uint64_t generation)
{
    uint64_t realised = generation;
    bool any = false;
    for (unsigned i = 0; i < pnodes->len; i++) {
        const struct pnode *pnode = pnodes->pdata[i];
        any = any || !pnode->lost;
        realised = pnode->lost ? realised : MIN(realised, pnode->generation);
    }
    return any ? realised : 0;
}

GHashTable *lost_pnodes(const GPtrArray *pnodes)
{
    GHashTable *lost = g_hash_table_new(g_str_hash, g_str_equal);
    for (unsigned i = 0; i < pnodes->len; i++) {
        const struct pnode *pnode = pnodes->pdata[i];
        if (pnode->lost) {
            g_hash_table_add(lost, pnode->name);
        }
    }
    return lost;
}

GHashTable *count_vnodes(const struct platform *platform)
{
    GHashTable *counts = g_hash_table_new(g_str_hash, g_str_equal);
    for (unsigned i = 0; platform && i < platform->vnodes->len; i++) {
        char *pnode = platform_vnode(platform, i)->pnode;
        guint count = GPOINTER_TO_UINT(g_hash_table_lookup(counts, pnode));
        g_hash_table_insert(counts, pnode, GUINT_TO_POINTER(count + 1));
    }
    return counts;
}

json_t *json_lost(const GPtrArray *pnodes, const struct platform *platform)
{
    g_autoptr(GHashTable) counts = count_vnodes(platform);
    json_t *list = json_array();
    for (unsigned i = 0; i < pnodes->len; i++) {
        const struct pnode *pnode = pnodes->pdata[i];
        if (pnode->lost) {
            json_array_append_new(list, json_pack("{s:s, s:i}", "pnode", pnode->name, "vnodes",
                                                  (int)GPOINTER_TO_UINT(g_hash_table_lookup(counts, pnode->name))));
        }
    }
    return list;
}

static json_t *json_address(const struct ip_addr *addr)
{
    char text[IP_TEXT_SIZE];
    return addr->family ? json_string(ip_format(addr, text)) : json_null();
}

static json_t *json_labels(GHashTable *labels)
{
    json_t *object = json_object();
    GHashTableIter iter;
    gpointer name, value;
    g_hash_table_iter_init(&iter, labels);
    while (g_hash_table_iter_next(&iter, &name, &value)) {
        json_object_set_new(object, name, json_string(value));
    }
    return object;
}

/* Name -> MTU. */
static json_t *json_numbers(GHashTable *numbers)
{
    json_t *object = json_object();
    GHashTableIter iter;
    gpointer name, value;
    g_hash_table_iter_init(&iter, numbers);
    while (g_hash_table_iter_next(&iter, &name, &value)) {
        json_object_set_new(object, name, json_integer(GPOINTER_TO_UINT(value)));
    }
    return object;
}

static const char *pnode_state(const struct pnode *pnode, uint64_t generation)
{
    if (pnode->lost) {
        return "lost";
    }
    if (pnode->error) {
        return "failed";
    }
    if (pnode->draining) {
        return "draining";
    }
    return pnode->generation >= generation ? "ready" : "changing";
}

static json_t *json_pnode(const struct pnode *pnode, unsigned vnodes, uint64_t generation)
{
    g_autofree char *memory = size_format(pnode->memory);
    g_autofree char *frequency = pnode->frequency ? frequency_format(pnode->frequency) : NULL;
    json_t *what =
        json_pack("{s:s, s:s, s:I, s:o, s:s, s:o, s:o, s:o, s:o}", "name", pnode->name, "state", pnode_state(pnode, generation),
                  "cores", (json_int_t)pnode->cores, "frequency", text_or_null(frequency), "memory", memory, "kernel",
                  text_or_null(pnode->kernel), "missing", text_or_null(pnode->missing), "labels", json_labels(pnode->labels),
                  "interfaces", json_numbers(pnode->interfaces));
    json_t *where = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "address", text_or_null(pnode->address), "ipv4",
                              json_address(&pnode->ipv4), "ipv6", json_address(&pnode->ipv6), "mtu", number_or_null(pnode->mtu),
                              "max_vnodes", number_or_null(pnode->max_vnodes), "max_vifaces", number_or_null(pnode->max_vifaces));
    json_t *how_far =
        json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:b, s:o, s:o}", "vnodes", (json_int_t)vnodes, "leaving",
                  (json_int_t)pnode->leaving, "generation", (json_int_t)pnode->generation, "heartbeat",
                  (json_int_t)pnode->heartbeat, "transactions", (json_int_t)pnode->transactions, "rules", (json_int_t)pnode->rules,
                  "draining", pnode->draining, "error", text_or_null(pnode->error), "doubts", json_numbers(pnode->doubts));
    json_object_update(what, where);
    json_object_update(what, how_far);
    json_decref(where);
    json_decref(how_far);
    return what;
}

json_t *json_pnodes(const GPtrArray *pnodes, const struct platform *platform, uint64_t generation)
{
    g_autoptr(GHashTable) counts = count_vnodes(platform);
    json_t *list = json_array();
    for (unsigned i = 0; i < pnodes->len; i++) {
        const struct pnode *pnode = pnodes->pdata[i];
        unsigned vnodes = GPOINTER_TO_UINT(g_hash_table_lookup(counts, pnode->name));
        json_array_append_new(list, json_pnode(pnode, vnodes, generation));
    }
    return list;
}
