/* SPDX-License-Identifier: Apache-2.0 */
/* The files beside it that a topology or a change names become part of what is sent. */
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

enum { TRACES, TABLES, MATRICES };

/* What names files, and where their texts go. */
static const struct section {
    const char *name;        /* The topology's section: file's name -> its lines. */
    const char *what;        /* "trace" */
    const char *member;      /* What a property names a file by, {"trace": NAME}; */
    const char *property[4]; /* the properties that may. */
} sections[] = {
    [TRACES] = {"traces", "trace", "trace", {"latency", "loss", "bandwidth"}},
    [TABLES] = {"tables", "table", "table", {"distribution"}},
    [MATRICES] = {"matrices", "matrix", "", {NULL}}, /* A matrix names its files in another way. */
};

/* Notes in 'names' all files that are named somewhere in 'value' for the section, in the order in which they stand there. */
static void note_names(const struct section *section, const json_t *value, json_t *names)
{
    const char *key;
    json_t *member;
    size_t i;
    for (unsigned k = 0; section->property[k]; k++) {
        const char *name = json_string_value(json_object_get(json_object_get(value, section->property[k]), section->member));
        if (name) {
            json_object_set_new(names, name, json_null());
        }
    }
    json_object_foreach ((json_t *)value, key, member) {
        note_names(section, member, names);
    }
    json_array_foreach (value, i, member) {
        note_names(section, member, names);
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

/* Returns the file's text, at most one byte more than it may have, or NULL with errno. The caller frees it. */
static GString *read_text(const char *folder, const char *name)
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

/* Returns the lines of a file, or NULL after printing why not. */
static json_t *read_lines(const char *what, const char *folder, const char *name)
{
    g_autoptr(GString) text = read_text(folder, name);
    if (!text) {
        cli_complain("cannot read the %s %s in the folder %s: %s", what, name, folder,
                     errno == EXDEV    ? "it leads out of that folder"
                     : errno == EINVAL ? "it is no regular file"
                                       : g_strerror(errno));
        return NULL;
    }
    if (text->len > PLAYBACK_TEXT_MOST || strlen(text->str) < text->len || !g_utf8_validate(text->str, (gssize)text->len, NULL)) {
        cli_complain("the %s %s is no text of at most 16MiB in UTF-8", what, name);
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

/* Puts the lines of all files into 'names'. */
static bool read_files(const char *what, const char *topology, json_t *names)
{
    g_autofree char *folder = strcmp(topology, "-") ? g_path_get_dirname(topology) : g_strdup(".");
    const char *name;
    json_t *member;
    json_object_foreach (names, name, member) {
        json_t *lines = read_lines(what, folder, name);
        if (!lines) {
            return false;
        }
        json_object_set_new(names, name, lines);
    }
    return true;
}

/* Puts 'value' into the topology's text, as its first member. */
static void add_section(struct distem_file *topology, const char *name, const json_t *value)
{
    g_autofree char *section = json_dumps(value, JSON_COMPACT);
    size_t brace = (size_t)((const char *)memchr(topology->text, '{', topology->size) - topology->text) + 1;
    GString *text = g_string_new_len(topology->text, (gssize)brace);
    g_string_append_printf(text, "\"%s\": %s, ", name, section);
    g_string_append_len(text, topology->text + brace, (gssize)(topology->size - brace));
    g_free((char *)topology->text);
    topology->size = text->len;
    topology->text = g_string_free(text, FALSE);
}

/* Notes in 'names' the files with the quantities of a latency matrix. */
static void note_matrices(const json_t *matrix, json_t *names)
{
    const char *key;
    json_t *value;
    json_object_foreach ((json_t *)matrix, key, value) {
        if (json_is_string(value)) {
            json_object_set_new(names, json_string_value(value), json_null());
        }
    }
}

bool cli_add_files(struct distem_file *topology)
{
    /* What is no topology is refused by whoever checks it. */
    json_t *json = json_loadb(topology->text, topology->size, JSON_DECODE_INT_AS_REAL, NULL);
    bool ok = true;
    for (unsigned i = 0; ok && json_is_object(json) && i < G_N_ELEMENTS(sections); i++) {
        json_t *names = json_object();
        if (!json_object_get(json, sections[i].name)) {
            note_names(&sections[i], json, names);
            if (i == MATRICES) {
                note_matrices(json_object_get(json, "matrix"), names);
            }
        }
        ok = read_files(sections[i].what, topology->name, names);
        if (ok && json_object_size(names)) {
            add_section(topology, sections[i].name, names);
        }
        json_decref(names);
    }
    json_decref(json);
    return ok;
}

json_t *cli_traces_here(const json_t *change)
{
    json_t *names = json_object(), *member;
    const char *name;
    void *next;
    note_names(&sections[TRACES], change, names);
    json_object_foreach_safe (names, next, name, member) {
        if (!g_file_test(name, G_FILE_TEST_IS_REGULAR)) {
            json_object_del(names, name);
        }
    }
    if (!read_files(sections[TRACES].what, "-", names)) {
        json_decref(names);
        return NULL;
    }
    return names;
}
