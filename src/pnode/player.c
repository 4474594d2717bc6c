/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "player.h"

#include <errno.h>
#include <pthread.h>
#include <time.h>

#include "distem/error.h"
#include "lateness.h"
#include "part.h"
#include "realtime.h"

#define CLOCK_READINGS 3

struct player {
    /* Of the daemon's thread. */
    GHashTable *scores;   /* Text of a trace -> what was read of it, see part.h. */
    GHashTable *prepared; /* Vnode's id -> parts that player_play() will have played. */

    pthread_t thread;
    struct link_player *links; /* Of the thread. */
    /* What both need; the lock is held by the daemon's only for a moment. */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool ends;
    GHashTable *vnodes; /* Id -> its parts, an array of struct part. Only the daemon's thread adds and removes. */
    int64_t start;      /* By CLOCK_MONOTONIC in ns. Set by the daemon's. */
    GError *error;      /* The last one, of parts that could not be changed; those may be fine again. NULL: none. */
    uint32_t late;
};

/* Calls 'each' for all parts. */
static void foreach_part(struct player *player, void (*each)(struct part *, void *aux), void *aux)
{
    GHashTableIter iter;
    void *parts;
    g_hash_table_iter_init(&iter, player->vnodes);
    while (g_hash_table_iter_next(&iter, NULL, &parts)) {
        for (unsigned i = 0; i < ((GPtrArray *)parts)->len; i++) {
            each(((GPtrArray *)parts)->pdata[i], aux);
        }
    }
}

static void refresh_part(struct part *part, void *aux G_GNUC_UNUSED)
{
    part->fresh = true;
}

/* What happens at one moment. */
struct turn {
    struct player *player;
    int64_t now, next, late;
    bool any; /* Something changes. */
};

static void play_part(struct part *part, void *aux)
{
    struct turn *turn = aux;
    unsigned changes = part_advance(part, turn->player->start, turn->now, &turn->late);
    turn->next = MIN(turn->next, part_next(part));
    if (changes) {
        link_play(turn->player->links, &part->direction, &part->impairment, changes, part->what, &part->failed);
        turn->any = true;
    }
}

static void judge_part(struct part *part, void *aux)
{
    struct turn *turn = aux;
    if (part->failed) {
        part_fail(part, turn->now);
        turn->next = MIN(turn->next, part_next(part));
    }
}

/* Makes all changes that are due, and returns when the next ones are. What fails is tried again by itself. */
static int64_t play_due(struct player *player)
{
    struct turn turn = {.player = player, .now = realtime_now(), .next = PLAYBACK_NEVER};
    g_autoptr(GError) error = NULL;
    foreach_part(player, play_part, &turn);
    if (!turn.any) {
        return turn.next;
    }
    if (!link_player_flush(player->links, &error)) {
        foreach_part(player, judge_part, &turn);
        g_clear_error(&player->error);
        player->error = g_steal_pointer(&error);
    }
    player->late += turn.late + realtime_now() - turn.now > LATENESS_NOTED && turn.late;
    return turn.next;
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

static void unref_parts(void *parts)
{
    g_ptr_array_unref(parts);
}

static void player_clear(struct player *player)
{
    pthread_cond_destroy(&player->changed);
    pthread_mutex_destroy(&player->lock);
    link_player_free(player->links);
    g_hash_table_unref(player->vnodes);
    g_hash_table_unref(player->prepared);
    g_hash_table_unref(player->scores);
    g_clear_error(&player->error);
    g_free(player);
}

struct player *player_new(GError **error)
{
    struct link_player *links = link_player_new(error);
    if (!links) {
        return NULL;
    }
    struct player *player = g_new0(struct player, 1);
    player->links = links;
    player->vnodes = g_hash_table_new_full(NULL, NULL, NULL, unref_parts);
    player->prepared = g_hash_table_new_full(NULL, NULL, NULL, unref_parts);
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

/* Returns how far CLOCK_REALTIME is ahead of CLOCK_MONOTONIC in ns: of several readings the one that was held up least. */
static int64_t real_ahead(void)
{
    int64_t ahead = 0, least = INT64_MAX;
    for (unsigned i = 0; i < CLOCK_READINGS; i++) {
        struct timespec real;
        int64_t before = realtime_now();
        clock_gettime(CLOCK_REALTIME, &real);
        int64_t took = realtime_now() - before;
        if (took < least) {
            least = took;
            ahead = real.tv_sec * NS_PER_S + real.tv_nsec - before;
        }
    }
    return ahead;
}

void player_set_start(struct player *player, int64_t start)
{
    int64_t monotonic = start ? start - real_ahead() : PLAYBACK_NOT_STARTED;
    pthread_mutex_lock(&player->lock);
    if (ABS(monotonic - player->start) > LATENESS_NOTED) {
        foreach_part(player, refresh_part, NULL);
    }
    player->start = monotonic;
    pthread_cond_signal(&player->changed);
    pthread_mutex_unlock(&player->lock);
}

/* Returns the directions of 'vnode' that follow traces: an array of struct part, not found yet, which the caller unrefs. */
static GPtrArray *make_parts(struct player *player, const struct platform *platform, const struct vnode *vnode)
{
    GPtrArray *parts = g_ptr_array_new_with_free_func(part_free);
    for (unsigned i = 0; i < vnode->vifaces->len; i++) {
        const struct viface *viface = vnode_viface(vnode, i);
        for (unsigned output = 0; output < 2; output++) {
            struct part *part = part_new(player->scores, platform, output ? &viface->output : &viface->input);
            if (part) {
                part->place = 2 * i + output;
                part->what = g_strdup_printf("%s of %s:%s", output ? "output" : "input", vnode->name, viface->name);
                g_ptr_array_add(parts, part);
            }
        }
    }
    return parts;
}

/* Finds the directions of 'parts', and takes those out that are not there. */
static void find_directions(GPtrArray *parts, struct link_manager *links, const struct vnode *vnode, uint16_t default_mtu)
{
    for (unsigned i = parts->len; i-- > 0;) {
        struct part *part = parts->pdata[i];
        if (!link_find_direction(links, vnode_viface(vnode, part->place / 2), part->place % 2, default_mtu, &part->direction)) {
            g_ptr_array_remove_index(parts, i);
        }
    }
}

void player_prepare(struct player *player, const struct platform *platform, const struct vnode *vnode)
{
    GPtrArray *parts = make_parts(player, platform, vnode);
    bool was_played = player_leave(player, vnode->id);
    int64_t now = realtime_now(), late = 0;
    for (unsigned i = 0; i < parts->len; i++) {
        struct part *part = parts->pdata[i];
        struct viface *viface = vnode_viface(vnode, part->place / 2);
        (void)part_advance(part, player->start, now, &late);
        *(part->place % 2 ? &viface->output.now : &viface->input.now) = part->impairment.now;
        part->fresh = !was_played;
    }
    g_hash_table_insert(player->prepared, GUINT_TO_POINTER(vnode->id), parts);
}

/* Says whether 'a' and 'b' (NULL: none) are the same parts. */
static bool parts_equal(const GPtrArray *a, const GPtrArray *b)
{
    bool equal = a->len == (b ? b->len : 0);
    for (unsigned i = 0; equal && i < a->len; i++) {
        equal = part_equal(a->pdata[i], b->pdata[i]);
    }
    return equal;
}

void player_play(struct player *player, struct link_manager *links, const struct platform *platform, const struct vnode *vnode,
                 uint16_t default_mtu)
{
    gpointer id = GUINT_TO_POINTER(vnode->id), prepared = NULL;
    (void)g_hash_table_steal_extended(player->prepared, id, NULL, &prepared);
    GPtrArray *parts = prepared ? prepared : make_parts(player, platform, vnode);
    find_directions(parts, links, vnode, default_mtu);
    if (parts_equal(parts, g_hash_table_lookup(player->vnodes, id))) {
        g_ptr_array_unref(parts);
    } else {
        pthread_mutex_lock(&player->lock);
        g_hash_table_insert(player->vnodes, id, parts);
        pthread_cond_signal(&player->changed);
        pthread_mutex_unlock(&player->lock);
    }
    scores_trim(player->scores);
}

bool player_leave(struct player *player, uint32_t vnode_id)
{
    g_hash_table_remove(player->prepared, GUINT_TO_POINTER(vnode_id));
    pthread_mutex_lock(&player->lock);
    bool was_played = g_hash_table_remove(player->vnodes, GUINT_TO_POINTER(vnode_id));
    pthread_mutex_unlock(&player->lock);
    return was_played;
}

static void look_at_part(struct part *part, void *aux)
{
    *(bool *)aux |= part->retry_at != 0;
}

char *player_error(struct player *player)
{
    bool waits = false;
    pthread_mutex_lock(&player->lock);
    if (player->error) {
        foreach_part(player, look_at_part, &waits);
    }
    char *message = waits ? g_strdup(player->error->message) : NULL;
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
