/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "player.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

#include "distem/error.h"
#include "distem/link.h"
#include "distem/playback.h"
#include "lateness.h"
#include "realtime.h"

#define QUANTITIES (PLAYBACK_LOSS + 1)
#define RETRY_NS NS_PER_S

/* A trace that was read, as values of one quantity. */
struct score {
    struct playback *playback;
    grefcount references;
};

/* How a quantity of a direction goes on. */
struct track {
    struct score *score; /* NULL: it follows no trace. */
    bool loop;
    int64_t next; /* When it changes, by CLOCK_MONOTONIC in ns. */
};

/* A direction that follows traces. */
struct part {
    uint32_t vnode_id;
    struct link_direction direction;
    struct impairment impairment; /* With what was made last. */
    struct track tracks[QUANTITIES];
    char *what;
    bool fresh; /* All is to be made. */
};

struct player {
    /* Of the daemon's thread. */
    GHashTable *scores; /* Text of a trace -> array of QUANTITIES struct score, each NULL until needed. */
    int64_t start_real; /* As player_set_start() was told. */

    pthread_t thread;
    struct link_player *links; /* Of the thread. */
    /* What both need; the lock is held by the daemon's only for a moment. */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool ends;
    GPtrArray *parts; /* Of struct part. */
    int64_t start;    /* By CLOCK_MONOTONIC in ns. */
    GError *error;    /* Of the last change; NULL: none. */
    uint32_t late;
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
    for (unsigned i = 0; i < QUANTITIES; i++) {
        score_unref(scores[i]);
    }
    g_free(scores);
}

static void part_free(void *data)
{
    struct part *part = data;
    for (unsigned i = 0; i < QUANTITIES; i++) {
        score_unref(part->tracks[i].score);
    }
    g_free(part->what);
    g_free(part);
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
    return (moment.value ? LINK_CHANGES_BANDWIDTH : 0) | (was_paused != played->paused ? LINK_CHANGES_PAUSE : 0);
}

/* Brings all of 'part' that is due up to 'now'. Returns what changes, with how late that is in '*late'. */
static unsigned part_advance(struct part *part, int64_t start, int64_t now, int64_t *late)
{
    unsigned changes = 0;
    for (unsigned i = 0; i < QUANTITIES; i++) {
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

/* Returns when 'part' changes next. */
static int64_t part_next(const struct part *part)
{
    int64_t next = PLAYBACK_NEVER;
    for (unsigned i = 0; i < QUANTITIES; i++) {
        next = part->tracks[i].score ? MIN(next, part->tracks[i].next) : next;
    }
    return next;
}

/* Makes all changes that are due, and returns when the next ones are. */
static int64_t play_due(struct player *player)
{
    int64_t now = realtime_now(), next = PLAYBACK_NEVER, late = 0;
    bool any = false;
    for (unsigned i = 0; i < player->parts->len; i++) {
        struct part *part = player->parts->pdata[i];
        unsigned changes = part_advance(part, player->start, now, &late);
        next = MIN(next, part_next(part));
        if (changes) {
            link_play(player->links, &part->direction, &part->impairment, changes, part->what);
            any = true;
        }
    }
    if (!any) {
        return next;
    }
    g_clear_error(&player->error);
    if (!link_player_flush(player->links, &player->error)) {
        for (unsigned i = 0; i < player->parts->len; i++) {
            ((struct part *)player->parts->pdata[i])->fresh = true;
        }
        return MIN(next, now + RETRY_NS);
    }
    player->late += late + realtime_now() - now > LATENESS_NOTED && late;
    return next;
}

static void *perform(void *aux)
{
    struct player *player = aux;
    pthread_mutex_lock(&player->lock);
    while (!player->ends) {
        int64_t next = play_due(player);
        if (next == PLAYBACK_NEVER) {
            pthread_cond_wait(&player->changed, &player->lock);
        } else {
            const struct timespec when = {.tv_sec = next / NS_PER_S, .tv_nsec = next % NS_PER_S};
            pthread_cond_timedwait(&player->changed, &player->lock, &when);
        }
    }
    pthread_mutex_unlock(&player->lock);
    return NULL;
}

/* Makes the lock such that whoever holds it is not kept from going on while the thread waits for it. */
static void init_lock(struct player *player)
{
    pthread_mutexattr_t mutex;
    pthread_condattr_t condition;
    pthread_mutexattr_init(&mutex);
    pthread_mutexattr_setprotocol(&mutex, PTHREAD_PRIO_INHERIT);
    pthread_mutex_init(&player->lock, &mutex);
    pthread_mutexattr_destroy(&mutex);
    pthread_condattr_init(&condition);
    pthread_condattr_setclock(&condition, CLOCK_MONOTONIC);
    pthread_cond_init(&player->changed, &condition);
    pthread_condattr_destroy(&condition);
}

static void player_clear(struct player *player)
{
    pthread_cond_destroy(&player->changed);
    pthread_mutex_destroy(&player->lock);
    link_player_free(player->links);
    g_ptr_array_unref(player->parts);
    g_hash_table_unref(player->scores);
    g_clear_error(&player->error);
    g_free(player);
}

static GHashTable *scores_new(void)
{
    return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, scores_free);
}

struct player *player_new(GError **error)
{
    struct link_player *links = link_player_new(error);
    if (!links) {
        return NULL;
    }
    struct player *player = g_new0(struct player, 1);
    player->links = links;
    player->parts = g_ptr_array_new_with_free_func(part_free);
    player->scores = scores_new();
    player->start = PLAYBACK_NOT_STARTED;
    init_lock(player);
    int errnum = realtime_start(&player->thread, perform, player, true);
    if (errnum == EPERM) { /* Then it is as exact as the machine is idle; the lateness tells. */
        errnum = realtime_start(&player->thread, perform, player, false);
    }
    if (errnum) {
        player_clear(player);
        fail(error, DISTEM_ERROR_SYSTEM, errnum, "cannot start a thread that plays traces");
        return NULL;
    }
    return player;
}

void player_free(struct player *player)
{
    if (player) {
        pthread_mutex_lock(&player->lock);
        player->ends = true;
        pthread_cond_signal(&player->changed);
        pthread_mutex_unlock(&player->lock);
        pthread_join(player->thread, NULL);
        player_clear(player);
    }
}

/* Returns the start of all traces by CLOCK_MONOTONIC. */
static int64_t monotonic_start(const struct player *player)
{
    struct timespec real;
    clock_gettime(CLOCK_REALTIME, &real);
    int64_t ahead = real.tv_sec * NS_PER_S + real.tv_nsec - realtime_now();
    return player->start_real ? player->start_real - ahead : PLAYBACK_NOT_STARTED;
}

void player_set_start(struct player *player, int64_t start)
{
    player->start_real = start;
}

/* Returns the trace 'text' as values of 'quantity', which is referenced once more for the caller. It was checked when it came, so
 * what cannot be read is none of ours: NULL. */
static struct score *find_score(struct player *player, const char *text, enum playback_quantity quantity)
{
    struct score **scores = g_hash_table_lookup(player->scores, text);
    if (!scores) {
        scores = g_new0(struct score *, QUANTITIES);
        g_hash_table_insert(player->scores, g_strdup(text), scores);
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

/* Returns a part for 'impairment' without a direction, or NULL when that follows no trace. */
static struct part *part_new(struct player *player, const struct platform *platform, const struct impairment *impairment)
{
    const uint32_t traces[QUANTITIES] = {[PLAYBACK_BANDWIDTH] = impairment->bandwidth_trace,
                                         [PLAYBACK_LATENCY] = impairment->latency_trace,
                                         [PLAYBACK_LOSS] = impairment->loss_trace};
    struct part *part = NULL;
    for (unsigned i = 0; i < QUANTITIES; i++) {
        unsigned place = traces[i] & PLAYBACK_PLACE;
        if (!place || place > platform->playbacks->len) {
            continue;
        }
        if (!part) {
            part = g_new0(struct part, 1);
            part->impairment = *impairment;
            part->impairment.now = (struct played){0};
            part->fresh = true;
        }
        part->tracks[i].score = find_score(player, platform_playback(platform, place - 1)->text, i);
        part->tracks[i].loop = traces[i] & PLAYBACK_LOOP;
    }
    return part;
}

void player_set_present(struct player *player, const struct platform *platform, const struct vnode *vnode)
{
    int64_t start = monotonic_start(player), late = 0;
    for (unsigned i = 0; i < vnode->vifaces->len; i++) {
        struct viface *viface = vnode_viface(vnode, i);
        struct impairment *directions[] = {&viface->input, &viface->output};
        for (unsigned k = 0; k < G_N_ELEMENTS(directions); k++) {
            struct part *part = part_new(player, platform, directions[k]);
            if (part) {
                (void)part_advance(part, start, realtime_now(), &late);
                directions[k]->now = part->impairment.now;
                part_free(part);
            }
        }
    }
}

/* Adds the directions of 'vnode' that follow traces to 'parts'. */
static void add_parts(struct player *player, const struct platform *platform, const struct vnode *vnode, uint16_t default_mtu,
                      GPtrArray *parts)
{
    for (unsigned i = 0; i < vnode->vifaces->len; i++) {
        const struct viface *viface = vnode_viface(vnode, i);
        for (unsigned output = 0; output < 2; output++) {
            struct part *part = part_new(player, platform, output ? &viface->output : &viface->input);
            if (!part) {
                continue;
            }
            if (!link_find_direction(viface, output, default_mtu, &part->direction)) {
                part_free(part);
                continue;
            }
            part->vnode_id = vnode->id;
            part->what = g_strdup_printf("%s of %s:%s", output ? "output" : "input", vnode->name, viface->name);
            g_ptr_array_add(parts, part);
        }
    }
}

static gboolean is_unused(void *text G_GNUC_UNUSED, void *value, void *aux G_GNUC_UNUSED)
{
    struct score **scores = value;
    for (unsigned i = 0; i < QUANTITIES; i++) {
        if (scores[i] && !g_ref_count_compare(&scores[i]->references, 1)) {
            return FALSE;
        }
    }
    return TRUE;
}

void player_play(struct player *player, const struct platform *platform, const GPtrArray *vnodes, uint16_t default_mtu)
{
    GPtrArray *parts = g_ptr_array_new_with_free_func(part_free);
    for (unsigned i = 0; i < vnodes->len; i++) {
        add_parts(player, platform, vnodes->pdata[i], default_mtu, parts);
    }
    pthread_mutex_lock(&player->lock);
    GPtrArray *before = player->parts;
    player->parts = parts;
    player->start = monotonic_start(player);
    if (!parts->len) {
        g_clear_error(&player->error);
    }
    pthread_cond_signal(&player->changed);
    pthread_mutex_unlock(&player->lock);
    g_ptr_array_unref(before);
    g_hash_table_foreach_remove(player->scores, is_unused, NULL);
}

void player_leave(struct player *player, uint32_t vnode_id)
{
    pthread_mutex_lock(&player->lock);
    for (unsigned i = player->parts->len; i-- > 0;) {
        if (((const struct part *)player->parts->pdata[i])->vnode_id == vnode_id) {
            g_ptr_array_remove_index_fast(player->parts, i);
        }
    }
    pthread_mutex_unlock(&player->lock);
}

char *player_error(struct player *player)
{
    pthread_mutex_lock(&player->lock);
    char *message = player->error ? g_strdup(player->error->message) : NULL;
    pthread_mutex_unlock(&player->lock);
    return message;
}

uint32_t player_take_late(struct player *player)
{
    pthread_mutex_lock(&player->lock);
    uint32_t late = player->late;
    player->late = 0;
    pthread_mutex_unlock(&player->lock);
    return late;
}
