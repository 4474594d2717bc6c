/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "playbacks.h"

#include <string.h>

#include "distem/topology.h"
#include "names.h"

#define QUANTITIES (PLAYBACK_LOSS + 1)
#define LINES "the lines of a trace, an array of strings such as [\"0 10Mbit/s\", \"1.5s 1Mbit/s\"]"

/* A trace as values of one quantity. */
struct playback_summary {
    bool tried, ok;
    uint64_t low, high;
    int64_t length;
};

void playbacks_init(struct playbacks *playbacks, struct platform *platform)
{
    *playbacks = (struct playbacks){
        .platform = platform,
        .index = g_hash_table_new(g_str_hash, g_str_equal),
        .summaries = g_array_new(FALSE, TRUE, sizeof(struct playback_summary)),
    };
}

void playbacks_clear(struct playbacks *playbacks)
{
    g_hash_table_unref(playbacks->index);
    g_array_unref(playbacks->summaries);
}

/* Enters a trace that has just been added to the platform. */
static void note(struct playbacks *playbacks, const struct playback_text *playback)
{
    unsigned count = g_hash_table_size(playbacks->index) + 1;
    g_hash_table_insert(playbacks->index, playback->name, GUINT_TO_POINTER(count));
    g_array_set_size(playbacks->summaries, count * QUANTITIES);
}

struct playbacks *playbacks_new(struct platform *platform)
{
    struct playbacks *playbacks = g_new(struct playbacks, 1);
    playbacks_init(playbacks, platform);
    playbacks->runs = true;
    for (unsigned i = 0; i < platform->playbacks->len; i++) {
        note(playbacks, platform_playback(platform, i));
    }
    return playbacks;
}

void playbacks_free(struct playbacks *playbacks)
{
    if (playbacks) {
        playbacks_clear(playbacks);
        g_free(playbacks);
    }
}

static bool check_name(struct reader *reader, const char *name)
{
    g_autoptr(GError) error = NULL;
    if (!names_check_file(name, &error)) {
        reader_problem(reader, "%s", error->message);
        return false;
    }
    return true;
}

void playbacks_read(struct playbacks *playbacks, struct reader *reader, const json_t *section)
{
    const char *name;
    json_t *lines;
    if (!reader_is_object(reader, section, "traces by name")) {
        return;
    }
    json_object_foreach ((json_t *)section, name, lines) {
        size_t mark = reader_enter(reader, name);
        g_autofree char *text = check_name(reader, name) ? reader_lines(reader, lines, LINES) : NULL;
        unsigned known = GPOINTER_TO_UINT(g_hash_table_lookup(playbacks->index, name));
        if (text && !known) {
            note(playbacks, platform_add_playback(playbacks->platform, name, text));
        } else if (text && strcmp(text, platform_playback(playbacks->platform, known - 1)->text) != 0) {
            reader_problem(reader, "the platform has a trace of this name with other lines: expected those, or another name");
        }
        reader_leave(reader, mark);
    }
}

bool playbacks_add(struct playbacks *playbacks, const json_t *section, const char *pointer, struct diagnostics *problems)
{
    struct reader reader;
    reader_init(&reader, NULL, pointer);
    playbacks_read(playbacks, &reader, section);
    bool ok = !reader.count;
    reader_finish(&reader, NULL, 0, problems);
    reader_clear(&reader);
    return ok;
}

/* Fills the 'summary' of the trace 'text'; what is wrong with it becomes problems. */
static void summarise_playback(struct reader *reader, const struct playback_text *text, enum playback_quantity quantity,
                               struct playback_summary *summary)
{
    AUTO_DIAGNOSTICS problems = {0};
    struct playback *playback = playback_parse(text->text, strlen(text->text), text->name, quantity, &problems);
    for (unsigned i = 0; i < diagnostics_count(&problems); i++) {
        g_autofree char *problem = diagnostic_format(diagnostics_get(&problems, i));
        reader_problem(reader, "%s", problem);
    }
    *summary = (struct playback_summary){.tried = true, .ok = playback, .low = UINT64_MAX};
    if (!playback) {
        return;
    }
    for (unsigned i = 0; i < playback->steps->len; i++) {
        uint64_t value = g_array_index(playback->steps, struct playback_step, i).value;
        summary->low = MIN(summary->low, value);
        summary->high = MAX(summary->high, value);
    }
    summary->length = playback->length;
    playback_free(playback);
    if (!summary->high) {
        reader_problem(reader, "%s: it is 0 all the time: expected another value somewhere", text->name);
        summary->ok = false;
    }
}

struct property_spec {
    const char *trace;
    bool loop;
};

static void read_trace(struct reader *reader, const json_t *value, void *target, unsigned index G_GNUC_UNUSED)
{
    struct property_spec *spec = target;
    const char *name;
    if (reader_string(reader, value, "a trace's name", &name) && check_name(reader, name)) {
        spec->trace = name;
    }
}

static void read_loop(struct reader *reader, const json_t *value, void *target, unsigned index G_GNUC_UNUSED)
{
    struct property_spec *spec = target;
    reader_bool(reader, value, &spec->loop);
}

static const struct field property_fields[] = {{"trace", read_trace}, {"loop", read_loop}, {NULL, NULL}};

/* Says what is expected in place of a trace that there is not. The caller frees it. */
static char *expected_instead(const struct playbacks *playbacks)
{
    const GPtrArray *texts = playbacks->platform->playbacks;
    if (!playbacks->runs) {
        return g_strdup("expected its lines under \"traces\", or a file of that name beside the topology's and no \"traces\"");
    }
    if (!texts->len) {
        return g_strdup("the platform has none");
    }
    g_autoptr(GString) names = g_string_new(NULL);
    for (unsigned i = 0; i < texts->len; i++) {
        g_string_append_printf(names, "%s%s", i ? ", " : "", platform_playback(playbacks->platform, i)->name);
    }
    return g_strconcat("the platform has ", names->str, NULL);
}

/* Returns the index of the trace 'name' plus 1; when there is none adds a problem and returns 0. */
static unsigned find(struct reader *reader, const char *name)
{
    const struct playbacks *playbacks = reader->playbacks;
    unsigned found = playbacks ? GPOINTER_TO_UINT(g_hash_table_lookup(playbacks->index, name)) : 0;
    if (!playbacks) {
        reader_problem(reader, "no trace can be named here: expected a value");
    } else if (!found) {
        g_autofree char *shown = reader_printable(name), *expected = expected_instead(playbacks);
        reader_problem(reader, "there is no trace \"%s\": %s", shown, expected);
    }
    return found;
}

bool playbacks_read_property(struct reader *reader, const json_t *value, enum playback_quantity quantity, uint64_t *ret_value,
                             uint32_t *ret_trace)
{
    struct property_spec spec = {0};
    unsigned before = reader->count;
    reader_object(reader, value, "what follows a trace", property_fields, &spec);
    if (!spec.trace) {
        if (reader->count == before) {
            reader_problem(reader, "the trace is missing: expected \"trace\": \"...\"");
        }
        return false;
    }
    unsigned found = find(reader, spec.trace);
    if (!found) {
        return false;
    }
    const struct playbacks *playbacks = reader->playbacks;
    struct playback_summary *summary =
        &g_array_index(playbacks->summaries, struct playback_summary, (found - 1) * QUANTITIES + quantity);
    if (!summary->tried) {
        summarise_playback(reader, platform_playback(playbacks->platform, found - 1), quantity, summary);
    }
    if (summary->ok && spec.loop && !summary->length) {
        reader_problem(reader, "loop needs a trace that ends: expected a last line such as \"60s end\" in %s", spec.trace);
        return false;
    }
    *ret_value = quantity == PLAYBACK_LATENCY ? summary->low : summary->high;
    bool pauses = quantity == PLAYBACK_BANDWIDTH && !summary->low;
    *ret_trace = found | (spec.loop ? PLAYBACK_LOOP : 0) | (pauses ? PLAYBACK_PAUSES : 0);
    return summary->ok;
}
