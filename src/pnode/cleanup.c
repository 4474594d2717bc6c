/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <unistd.h>

#include <jansson.h>

#include "distem/link.h"
#include "distem/log.h"
#include "distem/pnode-daemon.h"
#include "distem/vnode.h"
#include "distem/vswitch.h"
#include "limits.h"

#define SWITCH_TIMEOUT_MS 10000

struct cleanup {
    const char *run_dir, *state_dir;
    bool dry_run;
    json_t *found;  /* Of strings. */
    json_t *failed; /* Of sentences. */
};

static void note_failure(struct cleanup *c, GError *error)
{
    if (error) {
        json_array_append_new(c->failed, json_string(error->message));
        g_error_free(error);
    }
}

static void note_found(struct cleanup *c, const char *kind, const char *name)
{
    json_array_append_new(c->found, json_sprintf("%s %s", kind, name));
}

static void clean_vnodes(struct cleanup *c)
{
    GError *error = NULL;
    g_autoptr(GPtrArray) names = vnode_purge(c->run_dir, c->state_dir, !c->dry_run, &error);
    for (unsigned i = 0; names && i < names->len; i++) {
        json_array_append_new(c->found, json_string(names->pdata[i]));
    }
    note_failure(c, error);
}

static void clean_bridges(struct cleanup *c, const char *remote)
{
    GError *error = NULL;
    g_autoptr(GPtrArray) names = vswitch_purge(remote, c->run_dir, !c->dry_run, SWITCH_TIMEOUT_MS, &error);
    for (unsigned i = 0; names && i < names->len; i++) {
        note_found(c, "bridge", names->pdata[i]);
    }
    note_failure(c, error);
}

static void clean_switches(struct cleanup *c)
{
    if (server_machine_vswitch()) {
        clean_bridges(c, "unix:/run/openvswitch/db.sock");
    }
    g_autofree char *socket = g_build_filename(c->run_dir, "ovs", "db.sock", NULL);
    /* The file, not the socket, which is missing while the server starts. */
    g_autofree char *file = g_build_filename(c->run_dir, "ovs", "conf.db", NULL);
    if (access(file, F_OK) == 0) {
        /* A private switch that no longer runs has left its bridges in the kernel; started again, it can take them away. */
        GError *error = NULL;
        if (!c->dry_run && !server_ensure_vswitch(c->run_dir, &error)) {
            note_failure(c, error);
            return;
        }
        g_autofree char *remote = g_strdup_printf("unix:%s", socket);
        clean_bridges(c, remote);
        note_found(c, "private Open vSwitch in", c->run_dir);
        error = NULL;
        if (!c->dry_run && !server_stop_vswitch(c->run_dir, &error)) {
            note_failure(c, error);
        }
    }
}

/* Switches on again what was switched off on the machine's own interfaces. */
static void clean_merging(struct cleanup *c, struct link_manager *links)
{
    g_autoptr(GPtrArray) names = link_unmerged(links);
    for (unsigned i = 0; i < names->len; i++) {
        note_found(c, "offloads switched off on", names->pdata[i]);
    }
    GError *error = NULL;
    if (!c->dry_run && !link_unmerge(links, (const char *const[]){NULL}, &error)) {
        note_failure(c, error);
    }
}

static void clean_links(struct cleanup *c)
{
    GError *error = NULL;
    struct link_manager *links = link_manager_new(c->run_dir, &error);
    g_autoptr(GPtrArray) found = links ? link_list(links, &error) : NULL;
    g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    for (unsigned i = 0; found && i < found->len; i++) {
        static const char *const kinds[] = {
            [LINK_VETH] = "veth", [LINK_IFB] = "ifb", [LINK_QUEUE] = "queue", [LINK_NETNS] = "namespace", [LINK_MATRIX] = "matrix"};
        const struct link_found *link = found->pdata[i];
        note_found(c, kinds[link->kind], link->name);
        g_array_append_val(ids, link->vnode_id);
    }
    if (found && !c->dry_run) {
        if (link_remove_vnodes(links, (const uint32_t *)(const void *)ids->data, ids->len, &error)) {
            link_end_matrix(links, &error);
        }
    }
    note_failure(c, error);
    if (links) {
        clean_merging(c, links);
    }
    link_manager_free(links);
}

static int remove_entry(const char *path, const struct stat *st G_GNUC_UNUSED, int type G_GNUC_UNUSED,
                        struct FTW *ftw G_GNUC_UNUSED)
{
    return remove(path) < 0 && errno != ENOENT ? errno : 0;
}

/* Removes a folder of ours with all in it; never leaves its file system, where something might still be mounted. Looking around
 * makes it anew: what was not there before is not worth telling. */
static void clean_folder(struct cleanup *c, const char *path, bool was_there)
{
    if (was_there) {
        note_found(c, "folder", path);
    }
    if ((!c->dry_run || !was_there) && access(path, F_OK) == 0) {
        int errnum = nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
        if (errnum) {
            json_array_append_new(c->failed, json_sprintf("cannot remove %s: %s", path, g_strerror(errnum)));
        }
    }
}

static void clean_limits(struct cleanup *c)
{
    g_autofree char *path = g_build_filename(c->run_dir, "limits", NULL);
    GError *error = NULL;
    if (access(path, F_OK) == 0) {
        note_found(c, "raised limits, noted in", path);
        if (!c->dry_run && !machine_limits_restore(c->run_dir, &error)) {
            note_failure(c, error);
        }
    }
}

static void clean_database(struct cleanup *c)
{
    GError *error = NULL;
    if (!c->dry_run && !server_stop_db(c->run_dir, &error)) {
        note_failure(c, error);
    }
}

static void print_result(const struct cleanup *c, bool json)
{
    if (json) {
        json_t *all = json_pack("{s:b, s:O, s:O}", "dry_run", c->dry_run, "found", c->found, "failed", c->failed);
        json_dumpf(all, stdout, JSON_INDENT(2));
        putchar('\n');
        json_decref(all);
        return;
    }
    size_t i;
    json_t *entry;
    json_array_foreach (c->found, i, entry) {
        printf("%s %s\n", c->dry_run ? "would remove" : "removed", json_string_value(entry));
    }
    json_array_foreach (c->failed, i, entry) {
        fprintf(stderr, "distem: %s\n", json_string_value(entry));
    }
    if (!json_array_size(c->found)) {
        puts("Nothing to clean up.");
    }
}

int pnode_cleanup(const char *run_dir, const char *state_dir, bool dry_run, bool json)
{
    struct cleanup c = {
        .run_dir = run_dir, .state_dir = state_dir, .dry_run = dry_run, .found = json_array(), .failed = json_array()};
    bool had_run_dir = access(run_dir, F_OK) == 0, had_state_dir = access(state_dir, F_OK) == 0;
    /* The same order as a platform that is taken down: what runs, what it is plugged into, its network, the rest. */
    clean_vnodes(&c);
    clean_switches(&c);
    clean_links(&c);
    clean_limits(&c);
    clean_database(&c);
    clean_folder(&c, run_dir, had_run_dir);
    clean_folder(&c, state_dir, had_state_dir);
    print_result(&c, json);
    int failures = (int)json_array_size(c.failed);
    json_decref(c.found);
    json_decref(c.failed);
    return failures != 0;
}
