/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "distem/error.h"

/* Folders deeper than this are moved up first, so that neither descriptors nor stack run out. */
#define DEPTH_MAX 64

struct removal {
    const char *path; /* What the caller named. */
    int top;          /* That folder. */
    dev_t device;
    unsigned moved; /* The next number for a folder that is moved to the top. */
};

static bool remove_content(struct removal *removal, int folder, unsigned depth, GError **error);

/* Moves a folder to the top, for the next round. */
static bool move_up(struct removal *removal, int parent, const char *name, GError **error)
{
    char aside[32];
    do {
        g_snprintf(aside, sizeof aside, ".moved-%u", removal->moved++);
        if (renameat(parent, name, removal->top, aside) == 0) {
            return true;
        }
    } while (errno == ENOTEMPTY || errno == EEXIST || errno == ENOTDIR);
    return fail(error, DISTEM_ERROR_SYSTEM, errno, "cannot delete %s: \"%s\", deep in it", removal->path, name);
}

static bool remove_folder(struct removal *removal, int parent, const char *name, unsigned depth, GError **error)
{
    if (depth == DEPTH_MAX) {
        return move_up(removal, parent, name, error);
    }
    int folder = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    struct stat st;
    if (folder < 0 || fstat(folder, &st) < 0) {
        int errnum = errno;
        if (folder >= 0) {
            close(folder);
        }
        return fail(error, DISTEM_ERROR_SYSTEM, errnum, "cannot delete %s: \"%s\" in it", removal->path, name);
    }
    if (st.st_dev != removal->device) {
        close(folder);
        return fail(error, DISTEM_ERROR_SYSTEM, 0, "cannot delete %s: something is mounted on \"%s\" in it", removal->path, name);
    }
    if (!remove_content(removal, folder, depth + 1, error)) {
        return false;
    }
    if (unlinkat(parent, name, AT_REMOVEDIR) < 0 && errno != ENOENT) {
        return fail(error, DISTEM_ERROR_SYSTEM, errno, "cannot delete %s: \"%s\" in it", removal->path, name);
    }
    return true;
}

/* Empties and closes 'folder'. */
static bool remove_content(struct removal *removal, int folder, unsigned depth, GError **error)
{
    DIR *dir = fdopendir(folder);
    if (!dir) {
        int errnum = errno;
        close(folder);
        return fail(error, DISTEM_ERROR_SYSTEM, errnum, "cannot read a folder in %s", removal->path);
    }
    bool ok = true;
    const struct dirent *entry;
    while (ok && (entry = readdir(dir))) {
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")) {
            continue;
        }
        if (entry->d_type != DT_DIR && unlinkat(folder, entry->d_name, 0) == 0) {
            continue;
        }
        if (entry->d_type == DT_DIR || errno == EISDIR) {
            ok = remove_folder(removal, folder, entry->d_name, depth, error);
        } else if (errno != ENOENT) {
            ok = fail(error, DISTEM_ERROR_SYSTEM, errno, "cannot delete %s: \"%s\" in it", removal->path, entry->d_name);
        }
    }
    closedir(dir);
    return ok;
}

bool tree_remove(const char *path, GError **error)
{
    struct removal removal = {.path = path};
    unsigned moved;
    do {
        moved = removal.moved;
        removal.top = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (removal.top < 0) {
            if (errno == ENOENT || ((errno == ENOTDIR || errno == ELOOP) && unlink(path) == 0)) {
                return true;
            }
            return fail(error, DISTEM_ERROR_SYSTEM, errno, "cannot delete %s", path);
        }
        struct stat st;
        if (fstat(removal.top, &st) < 0) {
            int errnum = errno;
            close(removal.top);
            return fail(error, DISTEM_ERROR_SYSTEM, errnum, "cannot read %s", path);
        }
        removal.device = st.st_dev;
        if (!remove_content(&removal, removal.top, 0, error)) {
            return false;
        }
    } while (removal.moved > moved);
    if (rmdir(path) < 0 && errno != ENOENT) {
        return fail(error, DISTEM_ERROR_SYSTEM, errno, "cannot delete %s", path);
    }
    return true;
}

bool tree_make(const char *path, unsigned mode, GError **error)
{
    if (g_mkdir_with_parents(path, (int)mode) < 0) {
        return fail(error, DISTEM_ERROR_SYSTEM, errno, "cannot make the folder %s", path);
    }
    return true;
}

/* Undoes the \040 of /proc/self/mountinfo in place. */
static void unescape(char *text)
{
    char *to = text;
    for (const char *from = text; *from;) {
        unsigned c;
        if (from[0] == '\\' && sscanf(from + 1, "%3o", &c) == 1) {
            *to++ = (char)c;
            from += 4;
        } else {
            *to++ = *from++;
        }
    }
    *to = '\0';
}

/* Returns the first mount at or below 'path', the deepest last mounted first; the caller frees it. NULL: none. */
static char *find_mount(const char *path, const char *mountinfo)
{
    /* The usual case, in which a machine's thousands of mounts need no closer look. */
    if (!strpbrk(path, " \t\n\\") && !strstr(mountinfo, path)) {
        return NULL;
    }
    g_auto(GStrv) lines = g_strsplit(mountinfo, "\n", -1);
    size_t length = strlen(path);
    for (unsigned i = g_strv_length(lines); i-- > 0;) {
        g_auto(GStrv) fields = g_strsplit(lines[i], " ", 6);
        if (g_strv_length(fields) < 6) {
            continue;
        }
        unescape(fields[4]);
        if (g_str_has_prefix(fields[4], path) && (fields[4][length] == '/' || !fields[4][length])) {
            return g_strdup(fields[4]);
        }
    }
    return NULL;
}

bool tree_unmount(const char *path, GError **error)
{
    for (;;) {
        g_autofree char *mountinfo = NULL;
        if (!g_file_get_contents("/proc/self/mountinfo", &mountinfo, NULL, NULL)) {
            return fail(error, DISTEM_ERROR_SYSTEM, 0, "cannot read /proc/self/mountinfo: is /proc mounted?");
        }
        g_autofree char *mount = find_mount(path, mountinfo);
        if (!mount) {
            return true;
        }
        if (umount2(mount, MNT_DETACH | UMOUNT_NOFOLLOW) < 0) {
            return fail(error, DISTEM_ERROR_SYSTEM, errno, "cannot unmount %s", mount);
        }
    }
}
