/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "limits.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "distem/error.h"

/* The three thresholds of a table: below the first nothing is collected, above the third nothing is added. */
static const char *const thresholds[] = {
    "/proc/sys/net/ipv4/neigh/default/gc_thresh1", "/proc/sys/net/ipv4/neigh/default/gc_thresh2",
    "/proc/sys/net/ipv4/neigh/default/gc_thresh3", "/proc/sys/net/ipv6/neigh/default/gc_thresh1",
    "/proc/sys/net/ipv6/neigh/default/gc_thresh2", "/proc/sys/net/ipv6/neigh/default/gc_thresh3",
};

/* The tables take an int; this many entries need some gigabytes. */
#define NEIGHBOURS_MAX (UINT64_C(1) << 24)

static bool sysctl_read(const char *path, uint64_t *ret)
{
    g_autofree char *text = NULL;
    if (!g_file_get_contents(path, &text, NULL, NULL)) {
        return false;
    }
    *ret = g_ascii_strtoull(text, NULL, 10);
    return true;
}

static bool sysctl_write(const char *path, uint64_t value, GError **error)
{
    g_autofree char *text = g_strdup_printf("%" PRIu64, value);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    bool ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    int errnum = errno;
    if (fd >= 0) {
        close(fd);
    }
    return ok || fail(error, DISTEM_ERROR_SYSTEM, errnum, "cannot set %s to %s", path, text);
}

/* Returns how many neighbour entries the vnodes of 'share' can have together: on each vnetwork each viface may know every other. */
static uint64_t neighbours_wanted(const struct platform *share)
{
    g_autoptr(GHashTable) counts = g_hash_table_new(NULL, NULL);
    for (unsigned i = 0; i < share->vnodes->len; i++) {
        const struct vnode *vnode = platform_vnode(share, i);
        for (unsigned k = 0; k < vnode->vifaces->len; k++) {
            struct vnetwork *vnetwork = vnode_viface(vnode, k)->vnetwork;
            guint count = GPOINTER_TO_UINT(g_hash_table_lookup(counts, vnetwork));
            g_hash_table_insert(counts, vnetwork, GUINT_TO_POINTER(count + 1));
        }
    }
    uint64_t total = 0;
    GHashTableIter iter;
    gpointer value;
    g_hash_table_iter_init(&iter, counts);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        uint64_t count = GPOINTER_TO_UINT(value);
        total = MIN(total + count * count, NEIGHBOURS_MAX);
    }
    return total;
}

static bool is_threshold(const char *path)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(thresholds); i++) {
        if (!strcmp(thresholds[i], path)) {
            return true;
        }
    }
    return false;
}

static char *saved_path(const char *run_dir)
{
    return g_build_filename(run_dir, "limits", NULL);
}

/* Adds a line "PATH BEFORE WRITTEN" for each limit that is about to change. Lines of earlier raises keep their BEFORE. */
static bool save(const char *run_dir, const uint64_t before[], const uint64_t after[], GError **error)
{
    g_autofree char *path = saved_path(run_dir);
    g_autofree char *old = NULL;
    g_file_get_contents(path, &old, NULL, NULL);
    g_autoptr(GString) text = g_string_new(NULL);
    for (unsigned i = 0; i < G_N_ELEMENTS(thresholds); i++) {
        const char *line = old ? strstr(old, thresholds[i]) : NULL;
        uint64_t original = line ? g_ascii_strtoull(line + strlen(thresholds[i]) + 1, NULL, 10) : before[i];
        g_string_append_printf(text, "%s %" PRIu64 " %" PRIu64 "\n", thresholds[i], original, after[i]);
    }
    return g_file_set_contents_full(path, text->str, (gssize)text->len, G_FILE_SET_CONTENTS_CONSISTENT, 0600, error);
}

bool machine_limits_raise(const char *run_dir, const struct platform *share, GError **error)
{
    uint64_t wanted = neighbours_wanted(share);
    uint64_t before[G_N_ELEMENTS(thresholds)], after[G_N_ELEMENTS(thresholds)];
    bool raised = false;
    for (unsigned i = 0; i < G_N_ELEMENTS(thresholds); i++) {
        if (!sysctl_read(thresholds[i], &before[i])) {
            return true; /* The tables' limits belong to the first network namespace: whoever runs elsewhere cannot see them. */
        }
        after[i] = MAX(before[i], wanted << i % 3);
        raised = raised || after[i] != before[i];
    }
    if (!raised) {
        return true;
    }
    if (!save(run_dir, before, after, error)) {
        return false;
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(thresholds); i++) {
        if (after[i] != before[i] && !sysctl_write(thresholds[i], after[i], error)) {
            return false;
        }
    }
    return true;
}

bool machine_limits_restore(const char *run_dir, GError **error)
{
    g_autofree char *path = saved_path(run_dir);
    g_autofree char *text = NULL;
    if (!g_file_get_contents(path, &text, NULL, NULL)) {
        return true;
    }
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line; line++) {
        g_auto(GStrv) words = g_strsplit(*line, " ", 3);
        uint64_t now;
        if (g_strv_length(words) == 3 && is_threshold(words[0]) && sysctl_read(words[0], &now) &&
            now == g_ascii_strtoull(words[2], NULL, 10) && !sysctl_write(words[0], g_ascii_strtoull(words[1], NULL, 10), error)) {
            return false;
        }
    }
    if (unlink(path) < 0) {
        return fail(error, DISTEM_ERROR_SYSTEM, errno, "cannot remove %s", path);
    }
    return true;
}

GPtrArray *machine_limits_check(unsigned vnodes)
{
    /* A vnode needs its init, a monitor and what runs in it; a few files; one inotify instance or two for what watches files. */
    static const struct {
        const char *path, *name;
        uint64_t fixed, per_vnode;
    } limits[] = {
        {"/proc/sys/kernel/pid_max", "kernel.pid_max", 1000, 16},
        {"/proc/sys/kernel/threads-max", "kernel.threads-max", 1000, 16},
        {"/proc/sys/fs/file-max", "fs.file-max", 10000, 128},
        {"/proc/sys/fs/inotify/max_user_instances", "fs.inotify.max_user_instances", 64, 2},
    };
    GPtrArray *sentences = g_ptr_array_new_with_free_func(g_free);
    for (unsigned i = 0; i < G_N_ELEMENTS(limits); i++) {
        uint64_t wanted = limits[i].fixed + limits[i].per_vnode * vnodes, now;
        if (sysctl_read(limits[i].path, &now) && now < wanted) {
            g_ptr_array_add(sentences,
                            g_strdup_printf("%s is %" PRIu64 ", and %u vnodes need about %" PRIu64 ": sysctl -w %s=%" PRIu64,
                                            limits[i].name, now, vnodes, wanted, limits[i].name, wanted));
        }
    }
    return sentences;
}
