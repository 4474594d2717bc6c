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

#define RETRY_NS NS_PER_S

struct player {
    /* Of the daemon's thread. */
    GHashTable *scores; /* Text of a trace -> what was read of it, see part.h. */
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

void player_set_present(struct player *player, const struct platform *platform, const struct vnode *vnode)
{
    int64_t start = monotonic_start(player), late = 0;
    for (unsigned i = 0; i < vnode->vifaces->len; i++) {
        struct viface *viface = vnode_viface(vnode, i);
        struct impairment *directions[] = {&viface->input, &viface->output};
        for (unsigned k = 0; k < G_N_ELEMENTS(directions); k++) {
            struct part *part = part_new(player->scores, platform, directions[k]);
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
            struct part *part = part_new(player->scores, platform, output ? &viface->output : &viface->input);
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
    scores_trim(player->scores);
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
