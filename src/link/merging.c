/* SPDX-License-Identifier: Apache-2.0 */
/* Devices of the machine that frames from other machines come in by. What is switched off on them is noted in a file each, before,
 * so that whoever comes later can switch it on again. */
#include <config.h>

#include "manager.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "distem/error.h"

/* Reads the note on device 'name': eight words. All zero when there is none. */
static void read_note(const struct link_manager *manager, const char *name, uint32_t which[OFFLOAD_BLOCKS])
{
    g_autofree char *path = g_build_filename(manager->merging, name, NULL);
    g_autofree char *text = NULL;
    memset(which, 0, OFFLOAD_BLOCKS * sizeof *which);
    g_file_get_contents(path, &text, NULL, NULL);
    const char *at = text ? text : "";
    for (unsigned i = 0; i < OFFLOAD_BLOCKS; i++) {
        char *end;
        which[i] = (uint32_t)g_ascii_strtoull(at, &end, 16);
        at = end;
    }
}

static bool write_note(const struct link_manager *manager, const char *name, const uint32_t which[OFFLOAD_BLOCKS], GError **error)
{
    if (g_mkdir_with_parents(manager->merging, 0755) < 0) {
        return fail(error, DISTEM_ERROR_SYSTEM, errno, "cannot make the folder %s", manager->merging);
    }
    g_autofree char *path = g_build_filename(manager->merging, name, NULL);
    g_autoptr(GString) text = g_string_new(NULL);
    for (unsigned i = 0; i < OFFLOAD_BLOCKS; i++) {
        g_string_append_printf(text, "%08x\n", which[i]);
    }
    return g_file_set_contents_full(path, text->str, (gssize)text->len, G_FILE_SET_CONTENTS_CONSISTENT, 0644, error);
}

/* Says whether a device is not there, and what has failed with it does not matter: the switch's own come and go at any time. */
static bool is_gone(const char *name, GError **error)
{
    if (if_nametoindex(name)) {
        return false;
    }
    g_clear_error(error);
    return true;
}

/* Notes what is on at a device that is there, and switches it off. */
static bool stop(struct link_manager *manager, const char *name, GError **error)
{
    uint32_t on[OFFLOAD_BLOCKS], noted[OFFLOAD_BLOCKS], any = 0;
    if (!offload_get_merging(manager->offload, manager->socket, name, on, error)) {
        return false;
    }
    read_note(manager, name, noted);
    for (unsigned i = 0; i < OFFLOAD_BLOCKS; i++) {
        any |= on[i];
        noted[i] |= on[i];
    }
    return !any || (write_note(manager, name, noted, error) &&
                    offload_set_merging(manager->offload, manager->socket, name, on, false, error));
}

static bool restore(struct link_manager *manager, const char *name, GError **error)
{
    uint32_t noted[OFFLOAD_BLOCKS];
    read_note(manager, name, noted);
    if (!is_gone(name, NULL) && !offload_set_merging(manager->offload, manager->socket, name, noted, true, error) &&
        !is_gone(name, error)) {
        return false;
    }
    g_autofree char *path = g_build_filename(manager->merging, name, NULL);
    return unlink(path) == 0 || fail(error, DISTEM_ERROR_SYSTEM, errno, "cannot remove %s", path);
}

GPtrArray *link_unmerged(const struct link_manager *manager)
{
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GDir) dir = g_dir_open(manager->merging, 0, NULL);
    const char *name;
    while (dir && (name = g_dir_read_name(dir))) {
        if (strlen(name) < IFNAMSIZ) { /* Else it is a file that was being written. */
            g_ptr_array_add(names, g_strdup(name));
        }
    }
    return names;
}

bool link_unmerge(struct link_manager *manager, const char *const *names, GError **error)
{
    for (unsigned i = 0; names[i]; i++) {
        if (!is_gone(names[i], NULL) && !stop(manager, names[i], error) && !is_gone(names[i], error)) {
            return false;
        }
    }
    g_autoptr(GPtrArray) noted = link_unmerged(manager);
    for (unsigned i = 0; i < noted->len; i++) {
        if (!g_strv_contains(names, noted->pdata[i]) && !restore(manager, noted->pdata[i], error)) {
            return false;
        }
    }
    (void)rmdir(manager->merging); /* Once there is nothing in it. */
    return true;
}
