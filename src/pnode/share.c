/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "distem/log.h"
#include "distem/poll.h"
#include "item.h"
#include "limits.h"
#include "marks.h"

#define DEFAULT_MTU 1500
#define RELOAD_PAUSE_MS 1000
#define GENERATION_NONE UINT64_MAX /* Of a machine that has been removed: nothing is wanted there. */

/* Returns the item for vnode 'id', made when it is new, with what its marks say. */
static struct item *get_item(struct pnode_daemon *p, uint32_t id)
{
    struct item *item = g_hash_table_lookup(p->items, GUINT_TO_POINTER(id));
    if (!item) {
        item = item_new(id);
        item->network_done = marks_read(p->run_dir, "network", id);
        item->container_done = marks_read(p->run_dir, "container", id);
        g_hash_table_insert(p->items, GUINT_TO_POINTER(id), item);
        p->push_needed = true;
    }
    return item;
}

/* Returns what says all about the network of 'vnode', with what is loaded for its part in the latency matrix. */
static char *fingerprint(const struct pnode_daemon *p, const struct vnode *vnode)
{
    g_autofree char *print = link_fingerprint(vnode, DEFAULT_MTU, p->user_datapath);
    g_autofree char *part = link_matrix_part(p->links, vnode);
    return *part ? g_strdup_printf("%s%s\n", print, part) : g_steal_pointer(&print);
}

/* Brings the latency matrix to this machine, before any vnode is applied that has a part in it. What fails is tried again. */
static void set_matrix(struct pnode_daemon *p, const struct platform *wanted)
{
    g_autoptr(GPtrArray) vnodes = g_ptr_array_new();
    g_autoptr(GError) error = NULL;
    for (unsigned i = 0; wanted && i < wanted->vnodes->len; i++) {
        const struct vnode *vnode = platform_vnode(wanted, i);
        if (!g_strcmp0(vnode->pnode, p->self->name)) {
            g_ptr_array_add(vnodes, (void *)vnode);
        }
    }
    bool ok = link_set_matrix(p->links, wanted ? wanted->matrix : NULL, vnodes, &error);
    daemon_set_trouble(p, TROUBLE_MATRIX, ok ? NULL : error->message);
    p->matrix_failed = !ok;
    p->reload_at = ok ? p->reload_at : poll_now_ms() + RELOAD_PAUSE_MS;
}

/* Takes 'vnode' (NULL: none) as what is wanted for 'item'. */
static void item_want(struct pnode_daemon *p, struct item *item, const struct vnode *vnode)
{
    bool was_wanted = item->vnode;
    g_autofree char *print = vnode ? fingerprint(p, vnode) : NULL;
    item->vnode = vnode;
    if (was_wanted == (vnode != NULL) && !g_strcmp0(print, item->network_wanted)) {
        return;
    }
    g_free(item->network_wanted);
    item->network_wanted = g_steal_pointer(&print);
    item->failures = 0;
    item->restarts = 0;
    item->retry_at = 0;
    p->push_needed = true;
    item->ports_epoch = 0;
    if (vnode) {
        item_set_state(item, VNODE_STATE_WAITING, NULL);
        item->unreported = true;
    }
}

static void raise_limits(struct pnode_daemon *p)
{
    g_autoptr(GError) error = NULL;
    bool ok = p->wanted ? machine_limits_raise(p->run_dir, p->wanted, &error) : machine_limits_restore(p->run_dir, &error);
    if (!ok) {
        log_warning("pnode", "cannot set the limits of the neighbour tables", "error=\"%s\"", error->message);
    }
    if (p->wanted) {
        g_autoptr(GPtrArray) sentences = machine_limits_check(p->wanted->vnodes->len);
        for (unsigned i = 0; i < sentences->len; i++) {
            log_warning("pnode", "a limit is low", "hint=\"%s\"", (char *)sentences->pdata[i]);
        }
    }
}

/* Makes items of vnodes that are on this machine, and returns the names of all devices and namespaces of ours. */
static GHashTable *look_around(struct pnode_daemon *p, GError **error)
{
    g_autoptr(GPtrArray) found = link_list(p->links, error);
    if (!found) {
        return NULL;
    }
    GHashTable *names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (unsigned i = 0; i < found->len; i++) {
        const struct link_found *link = found->pdata[i];
        g_hash_table_add(names, g_strdup(link->name));
        if (link->kind != LINK_MATRIX) {
            get_item(p, link->vnode_id);
        }
    }
    return names;
}

/* Says whether all that the mark of 'item' speaks of is still on the machine. */
static bool devices_are_there(const struct pnode_daemon *p, const struct item *item, GHashTable *names)
{
    g_autofree char *netns = link_netns_path(p->links, item->id);
    bool there = g_hash_table_contains(names, netns);
    for (unsigned i = 0; there && i < item->vnode->vifaces->len; i++) {
        const struct viface *viface = vnode_viface(item->vnode, i);
        char name[16], end[16];
        link_veth_name(viface->id, name);
        there = g_hash_table_contains(names, name);
        if (there && !impairment_is_zero(&viface->output)) {
            link_ifb_name(viface->id, name);
            there = g_hash_table_contains(names, name);
        }
        if (there && impairment_is_staged(&viface->input)) {
            link_input_queue_name(viface->id, name);
            there = g_hash_table_contains(names, name);
        }
        if (there && impairment_is_staged(&viface->output)) {
            link_output_queue_names(viface->id, name, end);
            there = g_hash_table_contains(names, name);
        }
    }
    return there;
}

/* Says whether there is a share to be read that is not the one that was read last, or that could not be made real as a whole. */
static bool is_due(const struct pnode_daemon *p)
{
    if (p->removed) {
        return !p->loaded || p->generation != GENERATION_NONE;
    }
    return p->introduced && !p->refusal && db_is_complete(p->db) &&
           (!p->loaded || p->matrix_failed || db_generation(p->db) != p->generation);
}

void share_reload(struct pnode_daemon *p)
{
    if (!is_due(p) || poll_now_ms() < p->reload_at) {
        return;
    }
    g_autoptr(GError) error = NULL;
    g_autoptr(GHashTable) names = look_around(p, &error);
    daemon_set_trouble(p, TROUBLE_SHARE, names ? NULL : error->message);
    if (!names) {
        p->reload_at = poll_now_ms() + RELOAD_PAUSE_MS;
        return;
    }
    struct platform *wanted = p->removed ? NULL : db_platform(p->db);
    p->generation = p->removed ? GENERATION_NONE : db_generation(p->db);
    p->loaded = true;
    set_matrix(p, wanted);
    /* What is elsewhere may have changed, if nothing here has. */
    p->push_needed = true;
    p->play_again = true;

    g_autoptr(GHashTable) here = g_hash_table_new(NULL, NULL);
    for (unsigned i = 0; wanted && i < wanted->vnodes->len; i++) {
        const struct vnode *vnode = platform_vnode(wanted, i);
        if (!g_strcmp0(vnode->pnode, p->self->name)) {
            g_hash_table_add(here, GUINT_TO_POINTER(vnode->id));
            struct item *item = get_item(p, vnode->id);
            item_want(p, item, vnode);
            g_autofree char *netns = link_netns_path(p->links, item->id);
            item->has_devices = g_hash_table_contains(names, netns);
            if (!devices_are_there(p, item, names)) {
                g_clear_pointer(&item->network_done, g_free);
            }
        }
    }
    GHashTableIter iter;
    gpointer id, value;
    g_hash_table_iter_init(&iter, p->items);
    while (g_hash_table_iter_next(&iter, &id, &value)) {
        if (!g_hash_table_contains(here, id)) {
            item_want(p, value, NULL);
        }
    }
    /* Items no longer point into the old one. */
    platform_free(p->wanted);
    p->wanted = wanted;
    playback_begin(p);
    raise_limits(p);
    log_info("pnode", "share read", "generation=%" PRIu64 " vnodes=%u", p->generation, g_hash_table_size(here));
}

/* Says whether process 'pid' is in the namespace that vnode 'id' has now: that one may have been lost and made anew. */
static bool is_in_netns(const struct pnode_daemon *p, uint32_t id, pid_t pid)
{
    g_autofree char *netns = link_netns_path(p->links, id);
    g_autofree char *own = g_strdup_printf("/proc/%d/ns/net", (int)pid);
    struct stat wanted, is;
    return stat(netns, &wanted) == 0 && stat(own, &is) == 0 && wanted.st_dev == is.st_dev && wanted.st_ino == is.st_ino;
}

void share_adopt_containers(struct pnode_daemon *p, const GArray *containers)
{
    unsigned running = 0;
    for (unsigned i = 0; i < containers->len; i++) {
        const struct vnode_container *c = &g_array_index(containers, struct vnode_container, i);
        struct item *item = get_item(p, c->vnode_id);
        if (!c->pid) {
            continue;
        }
        running++;
        item_set_running(p, item, c->pid);
        if (item->container == CONTAINER_RUNNING && !is_in_netns(p, item->id, c->pid)) {
            g_clear_pointer(&item->container_done, g_free); /* Is started anew. */
        }
    }
    p->adopted = true;
    log_info("pnode", "containers adopted", "running=%u", running);
}
