/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "distem/select.h"

#include <string.h>

#include "distem/topology.h"
#include "names.h"
#include "reader.h"

/* A comparison under way. What has failed once is not tried again: many "*" cost no more than the product of the lengths. */
struct match {
    const char *pattern, *name;
    uint64_t failed[SELECT_PATTERN_MAX]; /* By place in the pattern; bit i: at place i of the name. */
};
G_STATIC_ASSERT(NAME_MAX_LENGTH < 64);

static bool match_at(struct match *match, const char *pattern, const char *name);

static bool match_range(struct match *match, const char *pattern, const char *name)
{
    struct names_range range;
    const char *rest;
    if (!names_parse_range(pattern, pattern, &range, &rest, NULL)) {
        return false;
    }
    uint64_t number = 0;
    for (size_t digits = 1; number <= range.last && g_ascii_isdigit(name[digits - 1]); digits++) {
        number = number * 10 + (uint64_t)(name[digits - 1] - '0');
        bool written_so = range.width > 1 ? digits == range.width : digits == 1 || name[0] != '0';
        if (written_so && number >= range.first && number <= range.last && match_at(match, rest, name + digits)) {
            return true;
        }
    }
    return false;
}

/* Says whether the rest of the name from 'name' on is meant by the rest of the pattern from 'pattern' on. */
static bool match_at(struct match *match, const char *pattern, const char *name)
{
    uint64_t *failed = &match->failed[pattern - match->pattern];
    uint64_t here = UINT64_C(1) << (name - match->name);
    bool ok;
    if (!*pattern) {
        return !*name;
    }
    if (*failed & here) {
        return false;
    }
    switch (*pattern) {
    case '*':
        ok = match_at(match, pattern + 1, name) || (*name && match_at(match, pattern, name + 1));
        break;
    case '?':
        ok = *name && match_at(match, pattern + 1, name + 1);
        break;
    case '[':
        ok = match_range(match, pattern, name);
        break;
    default:
        ok = *pattern == *name && match_at(match, pattern + 1, name + 1);
    }
    if (!ok) {
        *failed |= here;
    }
    return ok;
}

bool select_matches(const char *pattern, const char *name)
{
    struct match match = {.pattern = pattern, .name = name};
    return strlen(pattern) < SELECT_PATTERN_MAX && strlen(name) <= NAME_MAX_LENGTH && match_at(&match, pattern, name);
}

bool select_check(const char *pattern, GError **error)
{
    g_autofree char *shown = reader_printable(pattern);
    if (!*pattern || strlen(pattern) >= SELECT_PATTERN_MAX) {
        return fail(error, DISTEM_ERROR_INVALID, 0, "\"%s\" names no viface: expected 1 to %d characters such as n1 or client*:if0",
                    shown, SELECT_PATTERN_MAX - 1);
    }
    for (const char *open = pattern; (open = strchr(open, '['));) {
        struct names_range range;
        if (!names_parse_range(pattern, open, &range, &open, NULL)) {
            return fail(error, DISTEM_ERROR_INVALID, 0, "\"%s\" has no proper range: write it like client[1-100]:if0", shown);
        }
    }
    return true;
}

/* Vnodes as a user means them: one by its name, those of which the name or some labels match. */
struct meaning {
    const char *name; /* A pattern; NULL: 'labels' count. */
    bool one;         /* 'name' has nothing in it that could mean several. */
    char **labels;    /* Keys at even places, patterns for their values after them; owned. */
};

/* Reads "site=paris,role=client*". */
static bool meaning_read_labels(struct meaning *meaning, const char *text, GError **error)
{
    g_auto(GStrv) words = g_strsplit(text, ",", 0);
    meaning->labels = g_new0(char *, 2 * g_strv_length(words) + 1);
    for (size_t i = 0; words[i]; i++) {
        const char *equals = strchr(words[i], '=');
        if (!equals || equals == words[i]) {
            g_autofree char *shown = reader_printable(words[i]);
            return fail(error, DISTEM_ERROR_INVALID, 0, "\"%s\" is no label: write them like site=paris,role=client", shown);
        }
        if (equals[1] && !select_check(equals + 1, error)) {
            return false;
        }
        meaning->labels[2 * i] = g_strndup(words[i], (size_t)(equals - words[i]));
        meaning->labels[2 * i + 1] = g_strdup(equals + 1);
    }
    return true;
}

static bool meaning_read(struct meaning *meaning, const char *text, GError **error)
{
    *meaning = (struct meaning){0};
    if (strchr(text, '=')) {
        return meaning_read_labels(meaning, text, error);
    }
    meaning->name = text;
    meaning->one = !strpbrk(text, "*?[");
    return select_check(text, error);
}

/* Says whether one of 'labels', each "site=paris", is 'key' with a value that 'pattern' means. */
static bool has_label(char *const *labels, const char *key, const char *pattern)
{
    size_t length = strlen(key);
    while (*labels && (strncmp(*labels, key, length) != 0 || (*labels)[length] != '=')) {
        labels++;
    }
    return *labels && select_matches(pattern, *labels + length + 1);
}

static bool meaning_has(const struct meaning *meaning, const struct vnode *vnode)
{
    if (meaning->name) {
        return meaning->one ? !strcmp(meaning->name, vnode->name) : select_matches(meaning->name, vnode->name);
    }
    g_auto(GStrv) labels = g_strsplit(vnode->labels ? vnode->labels : "", ",", 0);
    for (char **label = meaning->labels; *label; label += 2) {
        if (!has_label(labels, label[0], label[1])) {
            return false;
        }
    }
    return true;
}

/* Fails because no vnode, or no viface of those that there are, is meant. */
static bool fail_nothing(const struct platform *platform, const char *pattern, const struct meaning *meaning, bool any_vnode,
                         GError **error)
{
    g_autofree char *shown = reader_printable(pattern);
    if (!meaning->name && !any_vnode) {
        return fail(error, DISTEM_ERROR_NOT_FOUND, 0, "\"%s\" means no vnode of platform %s: none has these labels", shown,
                    platform->name);
    }
    if (any_vnode) {
        return fail(error, DISTEM_ERROR_NOT_FOUND, 0, "\"%s\" is no viface of platform %s: the vnode%s none of that name", shown,
                    platform->name, meaning->one ? " has" : "s have");
    }
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    for (unsigned i = 0; i < platform->vnodes->len; i++) {
        g_ptr_array_add(names, platform_vnode(platform, i)->name);
    }
    g_ptr_array_add(names, NULL);
    g_autofree char *hint = reader_suggestion(meaning->name, (const char *const *)names->pdata);
    return fail(error, DISTEM_ERROR_NOT_FOUND, 0, "\"%s\" means no vnode of platform %s%s", shown, platform->name, hint);
}

bool select_more(const struct platform *platform, const char *pattern, GHashTable *taken, GArray *ret, GError **error)
{
    g_auto(GStrv) parts = g_strsplit(pattern, ":", 2);
    const char *viface_pattern = parts[0] && parts[1] ? parts[1] : "*";
    struct meaning meaning;
    bool any_vnode = false, any = false,
         ok = meaning_read(&meaning, parts[0] ? parts[0] : "", error) && select_check(viface_pattern, error);
    for (unsigned i = 0; ok && i < platform->vnodes->len && !(meaning.one && any_vnode); i++) {
        struct vnode *vnode = platform_vnode(platform, i);
        if (!meaning_has(&meaning, vnode)) {
            continue;
        }
        any_vnode = true;
        for (unsigned k = 0; k < vnode->vifaces->len; k++) {
            const struct selected found = {vnode, vnode_viface(vnode, k)};
            if (!select_matches(viface_pattern, found.viface->name)) {
                continue;
            }
            any = true;
            if (!taken || g_hash_table_add(taken, found.viface)) {
                g_array_append_val(ret, found);
            }
        }
    }
    ok = ok && (any || fail_nothing(platform, pattern, &meaning, any_vnode, error));
    g_strfreev(meaning.labels);
    return ok;
}

bool select_vifaces(const struct platform *platform, const char *pattern, GArray *ret, GError **error)
{
    return select_more(platform, pattern, NULL, ret, error);
}
