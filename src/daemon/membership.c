/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "membership.h"

#include <errno.h>
#include <unistd.h>

#include "distem/error.h"

static char *file_path(const char *state_dir)
{
    return g_build_filename(state_dir, "coordinator", NULL);
}

struct membership *membership_new(const char *database)
{
    struct membership *membership = g_new0(struct membership, 1);
    membership->database = g_strdup(database);
    membership->labels = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    return membership;
}

void membership_free(struct membership *membership)
{
    if (membership) {
        g_free(membership->database);
        g_hash_table_unref(membership->labels);
        g_free(membership);
    }
}

struct membership *membership_load(const char *state_dir, GError **error)
{
    g_autofree char *path = file_path(state_dir);
    g_autoptr(GKeyFile) file = g_key_file_new();
    g_autoptr(GError) problem = NULL;
    if (!g_key_file_load_from_file(file, path, G_KEY_FILE_NONE, &problem)) {
        if (!g_error_matches(problem, G_FILE_ERROR, G_FILE_ERROR_NOENT)) {
            fail(error, DISTEM_ERROR_SYSTEM, 0, "cannot read %s: %s; remove it, and add this machine anew", path, problem->message);
        }
        return NULL;
    }
    g_autofree char *database = g_key_file_get_string(file, "coordinator", "database", NULL);
    if (!database) {
        fail(error, DISTEM_ERROR_SYSTEM, 0, "%s names no database; remove it, and add this machine anew", path);
        return NULL;
    }
    struct membership *membership = membership_new(database);
    membership->registered = g_key_file_get_boolean(file, "coordinator", "registered", NULL);
    membership->max_vnodes = (uint32_t)g_key_file_get_uint64(file, "coordinator", "max_vnodes", NULL);
    membership->max_vifaces = (uint32_t)g_key_file_get_uint64(file, "coordinator", "max_vifaces", NULL);
    g_auto(GStrv) names = g_key_file_get_keys(file, "labels", NULL, NULL);
    for (unsigned i = 0; names && names[i]; i++) {
        g_hash_table_insert(membership->labels, g_strdup(names[i]), g_key_file_get_string(file, "labels", names[i], NULL));
    }
    return membership;
}

bool membership_save(const struct membership *membership, const char *state_dir, GError **error)
{
    g_autofree char *path = file_path(state_dir);
    g_autoptr(GKeyFile) file = g_key_file_new();
    g_key_file_set_string(file, "coordinator", "database", membership->database);
    g_key_file_set_boolean(file, "coordinator", "registered", membership->registered);
    g_key_file_set_uint64(file, "coordinator", "max_vnodes", membership->max_vnodes);
    g_key_file_set_uint64(file, "coordinator", "max_vifaces", membership->max_vifaces);
    GHashTableIter iter;
    gpointer name, text;
    g_hash_table_iter_init(&iter, membership->labels);
    while (g_hash_table_iter_next(&iter, &name, &text)) {
        g_key_file_set_string(file, "labels", name, text);
    }
    gsize size;
    g_autofree char *data = g_key_file_to_data(file, &size, NULL);
    return g_file_set_contents_full(path, data, (gssize)size,
                                    (GFileSetContentsFlags)(G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE), 0600,
                                    error);
}

bool membership_forget(const char *state_dir, GError **error)
{
    g_autofree char *path = file_path(state_dir);
    return unlink(path) == 0 || errno == ENOENT || fail(error, DISTEM_ERROR_SYSTEM, errno, "cannot remove %s", path);
}
