/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "part.h"

#include <string.h>

#include "distem/delay-table.h"

#define BITS_PER_BYTE 8
#define FRAMES_BEHIND_NS (NS_PER_MS * 15 / 100)
#define RETRY_NS NS_PER_S

struct score {
    struct playback *playback;
    grefcount references;
};

static void score_unref(struct score *score)
{
    if (score && g_ref_count_dec(&score->references)) {
        playback_free(score->playback);
        g_free(score);
    }
}

static void scores_free(void *data)
{
    struct score **scores = data;
    for (unsigned i = 0; i < PART_QUANTITIES; i++) {
        score_unref(scores[i]);
    }
    g_free(scores);
}

void part_free(void *data)
{
    struct part *part = data;
    if (!part) {
        return;
    }
    for (unsigned i = 0; i < PART_QUANTITIES; i++) {
        score_unref(part->tracks[i].score);
    }
    delay_table_unref(part->table);
    g_free(part->what);
    g_free(part);
}

/* Returns how long after its moment a change of what 'played' says is best made, in ns. Frames begin when those before them are
 * paid for, and each is paid for by what held when it began. Where a trace changes as frames begin, they shall clearly begin after
 * the change: so what waits for the end of a pause begins so much later, beyond what the link then lets pass at once. And the last
 * frames at a high bandwidth, which then begin later too, shall have begun before it ends. */
static int64_t change_delay(const struct played *played)
{
    if (played->paused) {
        return SHAPING_BURST_US * NS_PER_US + FRAMES_BEHIND_NS;
    }
    uint64_t frame = (uint64_t)NS_PER_S * PLAYBACK_OPPORTUNITY * BITS_PER_BYTE / MAX(played->bandwidth, 1);
    return MAX(FRAMES_BEHIND_NS - (int64_t)(frame / 2), 0);
}

bool part_equal(const struct part *a, const struct part *b)
{
    bool equal = a->place == b->place && impairment_equal(&a->impairment, &b->impairment);
    for (unsigned i = 0; equal && i < PART_QUANTITIES; i++) { /* Each text is there once, so another one is at another place. */
        equal = a->tracks[i].score == b->tracks[i].score;
    }
    return equal;
}

/* Sets impairment->now to what 'track' says at 'now', and returns which changes that means. */
static unsigned advance_track(struct impairment *impairment, struct track *track, enum playback_quantity quantity, int64_t start,
                              int64_t now)
{
    struct played *played = &impairment->now;
    struct playback_moment moment = playback_at(track->score->playback, track->loop, start, now);
    track->next = moment.next;
    if (quantity == PLAYBACK_LATENCY) {
        played->latency = (int64_t)moment.value;
        return LINK_CHANGES_NETEM;
    }
    if (quantity == PLAYBACK_LOSS) {
        played->loss = (uint32_t)moment.value;
        return LINK_CHANGES_NETEM;
    }
    bool was_paused = played->paused;
    played->paused = !moment.value;
    if (moment.value || !played->bandwidth) {
        played->bandwidth = moment.value ? moment.value : impairment->bandwidth;
    }
    track->next += moment.next == PLAYBACK_NEVER ? 0 : change_delay(played);
    return (moment.value ? LINK_CHANGES_BANDWIDTH : 0) | (was_paused != played->paused ? LINK_CHANGES_PAUSE : 0);
}

unsigned part_advance(struct part *part, int64_t start, int64_t now, int64_t *late)
{
    unsigned changes = 0;
    if (now < part->retry_at) {
        return 0;
    }
    part->retry_at = 0;
    for (unsigned i = 0; i < PART_QUANTITIES; i++) {
        struct track *track = &part->tracks[i];
        if (track->score && (part->fresh || track->next <= now)) {
            *late = part->fresh ? *late : MAX(*late, now - track->next);
            changes |= advance_track(&part->impairment, track, i, start, now);
        }
    }
    if (part->fresh && part->impairment.bandwidth_trace) { /* Its devices may have been made with other values. */
        changes |= LINK_CHANGES_BANDWIDTH | (part->impairment.bandwidth_trace & PLAYBACK_PAUSES ? LINK_CHANGES_PAUSE : 0);
    }
    part->fresh = false;
    return changes;
}

void part_fail(struct part *part, int64_t now)
{
    part->failed = false;
    part->fresh = true;
    part->retry_at = now + RETRY_NS;
}

int64_t part_next(const struct part *part)
{
    int64_t next = PLAYBACK_NEVER;
    if (part->retry_at) {
        return part->retry_at;
    }
    for (unsigned i = 0; i < PART_QUANTITIES; i++) {
        next = part->tracks[i].score ? MIN(next, part->tracks[i].next) : next;
    }
    return next;
}

GHashTable *scores_new(void)
{
    return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, scores_free);
}

/* Returns the trace 'text' as values of 'quantity', which is referenced once more for the caller. It was checked when it came, so
 * what cannot be read is none of ours: NULL. */
static struct score *find_score(GHashTable *known, const char *text, enum playback_quantity quantity)
{
    struct score **scores = g_hash_table_lookup(known, text);
    if (!scores) {
        scores = g_new0(struct score *, PART_QUANTITIES);
        g_hash_table_insert(known, g_strdup(text), scores);
    }
    if (!scores[quantity]) {
        AUTO_DIAGNOSTICS problems = {0};
        struct playback *playback = playback_parse(text, strlen(text), "", quantity, &problems);
        if (!playback) {
            return NULL;
        }
        scores[quantity] = g_new(struct score, 1);
        scores[quantity]->playback = playback;
        g_ref_count_init(&scores[quantity]->references);
    }
    g_ref_count_inc(&scores[quantity]->references);
    return scores[quantity];
}

struct part *part_new(GHashTable *scores, const struct platform *platform, const struct impairment *impairment)
{
    const uint32_t traces[PART_QUANTITIES] = {[PLAYBACK_BANDWIDTH] = impairment->bandwidth_trace,
                                              [PLAYBACK_LATENCY] = impairment->latency_trace,
                                              [PLAYBACK_LOSS] = impairment->loss_trace};
    struct part *part = NULL;
    for (unsigned i = 0; i < PART_QUANTITIES; i++) {
        unsigned place = traces[i] & PLAYBACK_PLACE;
        if (!place || place > platform->playbacks->len) {
            continue;
        }
        if (!part) {
            part = g_new0(struct part, 1);
            part->impairment = *impairment;
            part->table = delay_table_ref(delay_table_find(impairment->distribution));
            part->impairment.now = (struct played){0};
            part->fresh = true;
        }
        part->tracks[i].score = find_score(scores, platform_playback(platform, place - 1)->text, i);
        part->tracks[i].loop = traces[i] & PLAYBACK_LOOP;
    }
    return part;
}

static gboolean is_unused(void *text G_GNUC_UNUSED, void *value, void *aux G_GNUC_UNUSED)
{
    struct score **scores = value;
    for (unsigned i = 0; i < PART_QUANTITIES; i++) {
        if (scores[i] && !g_ref_count_compare(&scores[i]->references, 1)) {
            return FALSE;
        }
    }
    return TRUE;
}

void scores_trim(GHashTable *scores)
{
    g_hash_table_foreach_remove(scores, is_unused, NULL);
}
