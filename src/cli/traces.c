/* SPDX-License-Identifier: Apache-2.0 */
/* The files with traces that a topology names become part of what is sent. */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cli.h"
#include "distem/playback.h"

/* Notes in 'names' the trace that 'value' says to follow, if it does. */
static void note_trace(const json_t *value, json_t *names)
{
    const char *name = json_string_value(json_object_get(value, "trace"));
    if (name) {
        json_object_set_new(names, name, json_null());
    }
}

/* Notes all traces that are named somewhere in 'value', in the order in which they stand there. */
static void note_traces(const json_t *value, json_t *names)
{
    static const char *const followers[] = {"latency", "loss", "bandwidth"};
    const char *key;
    json_t *member;
    size_t i;
    for (unsigned k = 0; k < G_N_ELEMENTS(followers); k++) {
        note_trace(json_object_get(value, followers[k]), names);
    }
    json_object_foreach ((json_t *)value, key, member) {
        note_traces(member, names);
    }
    json_array_foreach (value, i, member) {
        note_traces(member, names);
    }
}

/* Opens the regular file 'name', which may not lead out of 'folder'. Returns -1 with errno. */
static int open_beneath(const char *folder, const char *name)
{
    struct open_how how = {.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK, .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
    struct stat status;
    int directory = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0) {
        return -1;
    }
    int file = (int)syscall(SYS_openat2, directory, name, &how, sizeof how);
    int errnum = errno;
    close(directory);
    if (file >= 0 && (fstat(file, &status) < 0 || !S_ISREG(status.st_mode))) {
        close(file);
        file = -1;
        errnum = EINVAL;
    }
    errno = errnum;
    return file;
}

/* Returns the file's text, at most one byte more than a trace may have, or NULL with errno. The caller frees it. */
static GString *read_trace(const char *folder, const char *name)
{
    g_autoptr(GString) text = g_string_new(NULL);
    char buffer[65536];
    ssize_t n = 1;
    int file = open_beneath(folder, name);
    if (file < 0) {
        return NULL;
    }
    while (text->len <= PLAYBACK_TEXT_MOST && (n = read(file, buffer, sizeof buffer)) > 0) {
        g_string_append_len(text, buffer, n);
    }
    int errnum = errno;
    close(file);
    errno = errnum;
    return n < 0 ? NULL : g_steal_pointer(&text);
}

/* Returns the lines of a trace, or NULL after printing why not. */
static json_t *read_lines(const char *folder, const char *name)
{
    g_autoptr(GString) text = read_trace(folder, name);
    if (!text) {
        cli_complain("cannot read the trace %s in the topology's folder %s: %s", name, folder,
                     errno == EXDEV    ? "it leads out of that folder"
                     : errno == EINVAL ? "it is no regular file"
                                       : g_strerror(errno));
        return NULL;
    }
    if (text->len > PLAYBACK_TEXT_MOST || strlen(text->str) < text->len || !g_utf8_validate(text->str, (gssize)text->len, NULL)) {
        cli_complain("the trace %s is no text of at most 16MiB in UTF-8", name);
        return NULL;
    }
    if (g_str_has_suffix(text->str, "\n")) {
        g_string_truncate(text, text->len - 1);
    }
    g_auto(GStrv) lines = g_strsplit(text->str, "\n", -1);
    json_t *array = json_array();
    for (unsigned i = 0; lines[i]; i++) {
        json_array_append_new(array, json_string(lines[i]));
    }
    return array;
}

/* Puts the lines of all traces into 'names'. */
static bool read_traces(const char *topology, json_t *names)
{
    g_autofree char *folder = strcmp(topology, "-") ? g_path_get_dirname(topology) : g_strdup(".");
    const char *name;
    json_t *member;
    json_object_foreach (names, name, member) {
        json_t *lines = read_lines(folder, name);
        if (!lines) {
            return false;
        }
        json_object_set_new(names, name, lines);
    }
    return true;
}

bool cli_add_traces(struct distem_file *topology)
{
    /* What is no topology is refused by whoever checks it. */
    json_t *json = json_loadb(topology->text, topology->size, JSON_DECODE_INT_AS_REAL, NULL);
    json_t *names = json_object();
    if (json_is_object(json) && !json_object_get(json, "traces")) {
        note_traces(json, names);
    }
    bool ok = read_traces(topology->name, names);
    if (ok && json_object_size(names)) {
        g_autofree char *traces = json_dumps(names, JSON_COMPACT);
        size_t brace = (size_t)((const char *)memchr(topology->text, '{', topology->size) - topology->text) + 1;
        GString *text = g_string_new_len(topology->text, (gssize)brace);
        g_string_append_printf(text, "\"traces\": %s, ", traces);
        g_string_append_len(text, topology->text + brace, (gssize)(topology->size - brace));
        g_free((char *)topology->text);
        topology->size = text->len;
        topology->text = g_string_free(text, FALSE);
    }
    json_decref(names);
    json_decref(json);
    return ok;
}
