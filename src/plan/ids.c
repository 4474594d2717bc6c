/* SPDX-License-Identifier: Apache-2.0 */
/* Ids, VNIs and MAC addresses: what names a platform's objects to the kernel and on the wire. */
#include <config.h>

#include <inttypes.h>
#include <string.h>

#include "distem/plan.h"
#include "hash.h"
#include "twins.h"

#define VNI_MAX ((UINT32_C(1) << 24) - 1)

/* Returns the next free id. Ids are never given twice, so what a removed object left behind is not taken for a new one's. */
static uint32_t next_id(struct platform *platform, bool *exhausted)
{
    if (platform->next_id == UINT32_MAX) {
        *exhausted = true;
        return 0;
    }
    return platform->next_id++;
}

static bool number_objects(struct platform *platform, const struct platform *current, struct diagnostics *problems)
{
    AUTO_TWINS twins = twins_new(current);
    bool exhausted = false;
    platform->next_id = current ? MAX(current->next_id, 1) : 1;
    for (unsigned i = 0; i < platform->vnetworks->len; i++) {
        struct vnetwork *vnetwork = platform_vnetwork(platform, i);
        const struct vnetwork *old = twin_vnetwork(&twins, vnetwork);
        vnetwork->id = old ? old->id : next_id(platform, &exhausted);
    }
    for (unsigned i = 0; i < platform->vnodes->len; i++) {
        struct vnode *vnode = platform_vnode(platform, i);
        const struct vnode *old = twin_vnode(&twins, vnode);
        vnode->id = old ? old->id : next_id(platform, &exhausted);
        for (unsigned j = 0; j < vnode->vifaces->len; j++) {
            struct viface *viface = vnode_viface(vnode, j);
            const struct viface *old_viface = twin_viface(old, viface, j);
            viface->id = old_viface ? old_viface->id : next_id(platform, &exhausted);
        }
    }
    if (exhausted) {
        diagnostics_add(problems, NULL, 0, NULL, "platform %s: all %" PRIu32 " ids have been used: take it down and up again",
                        platform->name, UINT32_MAX - 1);
    }
    return !exhausted;
}

/* Says whether 'vnetwork' needs a VNI. */
static bool has_vni(const struct vnetwork *vnetwork)
{
    return vnetwork->transport == TRANSPORT_VXLAN || (vnetwork->transport == TRANSPORT_AUTO && !vnetwork->vlan);
}

/* VNI -> vnetwork that has it. Those that 'platform' asks for; duplicates are problems. */
static GHashTable *take_asked_vnis(const struct platform *platform, struct diagnostics *problems)
{
    GHashTable *taken = g_hash_table_new(NULL, NULL);
    for (unsigned i = 0; i < platform->vnetworks->len; i++) {
        struct vnetwork *vnetwork = platform_vnetwork(platform, i);
        const struct vnetwork *owner = g_hash_table_lookup(taken, GUINT_TO_POINTER(vnetwork->vni));
        if (vnetwork->vni > VNI_MAX) {
            diagnostics_add(problems, NULL, 0, NULL, "vnetwork %s: VNI %" PRIu32 " is too large: at most %" PRIu32, vnetwork->name,
                            vnetwork->vni, VNI_MAX);
        } else if (vnetwork->vni && owner) {
            diagnostics_add(problems, NULL, 0, NULL, "vnetwork %s: VNI %" PRIu32 " is taken by vnetwork %s", vnetwork->name,
                            vnetwork->vni, owner->name);
        } else if (vnetwork->vni) {
            g_hash_table_insert(taken, GUINT_TO_POINTER(vnetwork->vni), vnetwork);
        }
    }
    return taken;
}

/* Platforms that share an underlay know nothing of each other: each starts at a place of its own, which its name gives. From there
 * a vnetwork's id gives its VNI, so that a removed vnetwork's VNI is not soon another's; where that is taken, the next one. */
static void allot_vnis(struct platform *platform, const struct platform *current, struct diagnostics *problems)
{
    AUTO_TWINS twins = twins_new(current);
    g_autoptr(GHashTable) taken = take_asked_vnis(platform, problems);
    if (platform->vnetworks->len > VNI_MAX) {
        diagnostics_add(problems, NULL, 0, NULL, "%u vnetworks are wanted, and there are %" PRIu32 " VNIs",
                        platform->vnetworks->len, VNI_MAX);
        return;
    }
    for (unsigned i = 0; i < platform->vnetworks->len; i++) {
        struct vnetwork *vnetwork = platform_vnetwork(platform, i);
        const struct vnetwork *old = twin_vnetwork(&twins, vnetwork);
        if (has_vni(vnetwork) && !vnetwork->vni && old && old->vni && !g_hash_table_contains(taken, GUINT_TO_POINTER(old->vni))) {
            vnetwork->vni = old->vni;
            g_hash_table_insert(taken, GUINT_TO_POINTER(vnetwork->vni), vnetwork);
        }
    }
    uint32_t base = (uint32_t)(hash_text(platform->name) % VNI_MAX);
    for (unsigned i = 0; i < platform->vnetworks->len; i++) {
        struct vnetwork *vnetwork = platform_vnetwork(platform, i);
        if (has_vni(vnetwork) && !vnetwork->vni) {
            uint64_t n = (uint64_t)base + vnetwork->id;
            while (g_hash_table_contains(taken, GUINT_TO_POINTER(n % VNI_MAX + 1))) {
                n++;
            }
            vnetwork->vni = (uint32_t)(n % VNI_MAX + 1);
            g_hash_table_insert(taken, GUINT_TO_POINTER(vnetwork->vni), vnetwork);
        }
    }
}

/* A set of vifaces, compared by vnetwork and MAC. */
static guint mac_hash(gconstpointer data)
{
    const struct viface *viface = data;
    uint64_t word = 0;
    memcpy(&word, viface->mac.bytes, sizeof viface->mac.bytes);
    return (guint)hash_64(word ^ hash_64((uintptr_t)viface->vnetwork));
}

static gboolean mac_same(gconstpointer a, gconstpointer b)
{
    const struct viface *left = a, *right = b;
    return left->vnetwork == right->vnetwork && mac_equal(&left->mac, &right->mac);
}

/* Returns the MAC address that belongs to 'id': locally administered, with "d1" for distem. Attempts > 0 give others, for the case
 * that the user took the first for another viface. */
static struct mac_addr mac_of_id(uint32_t id, unsigned attempt)
{
    return (struct mac_addr){{(uint8_t)(0x02 + 4 * (attempt % 64)), (uint8_t)(0xd1 + attempt / 64), (uint8_t)(id >> 24),
                              (uint8_t)(id >> 16), (uint8_t)(id >> 8), (uint8_t)id}};
}

static void take_asked_macs(const struct platform *platform, GHashTable *taken, struct diagnostics *problems)
{
    for (unsigned i = 0; i < platform->vnodes->len; i++) {
        const struct vnode *vnode = platform_vnode(platform, i);
        for (unsigned j = 0; j < vnode->vifaces->len; j++) {
            struct viface *viface = vnode_viface(vnode, j);
            if (!mac_is_zero(&viface->mac) && !g_hash_table_add(taken, viface)) {
                char text[MAC_TEXT_SIZE];
                diagnostics_add(problems, NULL, 0, NULL, "vnode %s, viface %s: MAC address %s is already taken on vnetwork %s",
                                vnode->name, viface->name, mac_format(&viface->mac, text), viface->vnetwork->name);
            }
        }
    }
}

static void allot_mac(struct viface *viface, const struct viface *old, GHashTable *taken)
{
    if (!mac_is_zero(&viface->mac)) {
        return;
    }
    unsigned attempt = 0;
    viface->mac = old ? old->mac : mac_of_id(viface->id, attempt++);
    while (mac_is_zero(&viface->mac) || g_hash_table_contains(taken, viface)) {
        viface->mac = mac_of_id(viface->id, attempt++);
    }
    g_hash_table_add(taken, viface);
}

static void allot_macs(struct platform *platform, const struct platform *current, struct diagnostics *problems)
{
    AUTO_TWINS twins = twins_new(current);
    g_autoptr(GHashTable) taken = g_hash_table_new(mac_hash, mac_same);
    take_asked_macs(platform, taken, problems);
    for (unsigned i = 0; i < platform->vnodes->len; i++) {
        struct vnode *vnode = platform_vnode(platform, i);
        const struct vnode *old = twin_vnode(&twins, vnode);
        for (unsigned j = 0; j < vnode->vifaces->len; j++) {
            struct viface *viface = vnode_viface(vnode, j);
            allot_mac(viface, twin_viface(old, viface, j), taken);
        }
    }
}

bool plan_ids(struct platform *platform, const struct platform *current, struct diagnostics *problems)
{
    unsigned before = diagnostics_count(problems);
    if (number_objects(platform, current, problems)) {
        allot_vnis(platform, current, problems);
        allot_macs(platform, current, problems);
    }
    return diagnostics_count(problems) == before;
}
