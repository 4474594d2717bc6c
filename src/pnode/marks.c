/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "marks.h"

#include <errno.h>
#include <unistd.h>

#include "distem/error.h"

static char *mark_path(const char *run_dir, const char *kind, uint32_t vnode_id)
{
    return g_strdup_printf("%s/marks/%s-%u", run_dir, kind, vnode_id);
}

char *marks_read(const char *run_dir, const char *kind, uint32_t vnode_id)
{
    g_autofree char *path = mark_path(run_dir, kind, vnode_id);
    char *text = NULL;
    g_file_get_contents(path, &text, NULL, NULL);
    return text;
}

bool marks_write(const char *run_dir, const char *kind, uint32_t vnode_id, const char *text, GError **error)
{
    g_autofree char *folder = g_build_filename(run_dir, "marks", NULL);
    if (g_mkdir_with_parents(folder, 0700) < 0) {
        return fail(error, DISTEM_ERROR_SYSTEM, errno, "cannot make the folder %s", folder);
    }
    g_autofree char *path = mark_path(run_dir, kind, vnode_id);
    return g_file_set_contents_full(path, text, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0600, error);
}

void marks_remove(const char *run_dir, const char *kind, uint32_t vnode_id)
{
    g_autofree char *path = mark_path(run_dir, kind, vnode_id);
    unlink(path);
}
