/* SPDX-License-Identifier: Apache-2.0 */
/* What is looked at, each time over the seconds since the last look:
 *
 * CPU: less than 2 % idle. Softirqs, in which qdiscs send, share the cores with the vnodes' programs; while a core is idle now and
 * then, none has waited for long. With no idle time at all, frames wait for cores as well as for the model's delays.
 *
 * Stolen CPU: more than 1 %, on a virtual machine: for so much of the time its clock ran on while it stood still.
 *
 * Backlog: a frame dropped between two devices (second column of softnet_stat): the queue of a core, 1000 frames
 * (net.core.netdev_max_backlog), was full. No model asked for this loss.
 *
 * Upcalls: a frame that waited for ovs-vswitchd to say where it goes, with too many others: lost, though only the first frames of a
 * flow have to wait.
 *
 * Timers: two or more that were a millisecond late, of the hundred that are set meanwhile: frames that netem held were late, too. A
 * single one may be due to work that is rare.
 *
 * netem: a frame dropped where no loss was asked for: more were in flight than shaping_limit() foresees.
 *
 * Clock: one that takes microseconds to read, or another one than before: the kernel found that the first one was wrong. */
#include <config.h>

#include "health.h"

#include <string.h>

#include "distem/log.h"

#include "lateness.h"

#define IDLE_LEAST 0.02
#define STOLEN_MOST 0.01
#define LATE_MOST 1

G_STATIC_ASSERT(LATENESS_NOTED == 1000000); /* As the sentence has it. */

enum cause { CAUSE_CPU, CAUSE_STOLEN, CAUSE_BACKLOG, CAUSE_UPCALLS, CAUSE_TIMERS, CAUSE_NETEM, CAUSE_CLOCK, CAUSES };

/* Fields of the first line of /proc/stat, see proc(5). Guests' time is in user and nice already. */
enum { IDLE = 3, IOWAIT = 4, STOLEN = 7, TIMES = 8 };

struct health {
    char *root;
    bool looked, settled; /* At the last look. */
    bool counts;          /* What has happened from the look before it to the last one. */
    uint64_t times[TIMES];
    uint64_t backlog_drops, lost_upcalls;
    char *clock;
    GHashTable *drops; /* Key of a direction -> uint64_t, frames. */
    struct {
        char *sentence; /* NULL: has not been seen. */
        uint64_t heartbeat;
    } causes[CAUSES];
};

struct health *health_new(const char *root)
{
    struct health *health = g_new0(struct health, 1);
    health->root = g_strdup(root);
    health->drops = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free);
    return health;
}

void health_clear(struct health *health)
{
    for (unsigned i = 0; i < CAUSES; i++) {
        g_clear_pointer(&health->causes[i].sentence, g_free);
    }
}

void health_free(struct health *health)
{
    if (health) {
        health_clear(health);
        g_hash_table_unref(health->drops);
        g_free(health->root);
        g_free(health->clock);
        g_free(health);
    }
}

/* Notes a cause; the sentence stays as it was first. */
static void notice(struct health *health, enum cause cause, uint64_t heartbeat, const char *format, ...) G_GNUC_PRINTF(4, 5);
static void notice(struct health *health, enum cause cause, uint64_t heartbeat, const char *format, ...)
{
    health->causes[cause].heartbeat = heartbeat;
    if (!health->causes[cause].sentence) {
        va_list args;
        va_start(args, format);
        health->causes[cause].sentence = g_strdup_vprintf(format, args);
        va_end(args);
        log_warning("pnode", "results are not to be trusted", "cause=\"%s\"", health->causes[cause].sentence);
    }
}

/* Returns the text of a file below the root, without the line feed at its end; NULL: it cannot be read. */
static char *read_file(const struct health *health, const char *name)
{
    g_autofree char *path = g_strconcat(health->root, name, NULL);
    char *text = NULL;
    return g_file_get_contents(path, &text, NULL, NULL) ? g_strchomp(text) : NULL;
}

static void look_at_cpu(struct health *health, bool counts, uint64_t heartbeat)
{
    g_autofree char *text = read_file(health, "/proc/stat");
    if (!text || !g_str_has_prefix(text, "cpu ")) {
        return;
    }
    uint64_t passed[TIMES], all = 0;
    char *rest = text + strlen("cpu ");
    for (unsigned i = 0; i < TIMES; i++) {
        uint64_t now = g_ascii_strtoull(rest, &rest, 10);
        passed[i] = now - MIN(now, health->times[i]);
        all += passed[i];
        health->times[i] = now;
    }
    if (!counts || !all) {
        return;
    }
    if ((double)(passed[IDLE] + passed[IOWAIT]) < IDLE_LEAST * (double)all) {
        notice(health, CAUSE_CPU, heartbeat, "its CPUs had no idle time for seconds");
    }
    if ((double)passed[STOLEN] > STOLEN_MOST * (double)all) {
        notice(health, CAUSE_STOLEN, heartbeat, "other virtual machines took CPU time from it");
    }
}

static void look_at_backlog(struct health *health, bool counts, uint64_t heartbeat)
{
    g_autofree char *text = read_file(health, "/proc/net/softnet_stat");
    g_auto(GStrv) lines = text ? g_strsplit(text, "\n", -1) : NULL;
    uint64_t drops = 0;
    for (unsigned i = 0; lines && lines[i]; i++) { /* One line for each core. */
        const char *second = strchr(lines[i], ' ');
        drops += second ? g_ascii_strtoull(second, NULL, 16) : 0;
    }
    if (counts && drops > health->backlog_drops) {
        notice(health, CAUSE_BACKLOG, heartbeat, "its kernel dropped frames between devices, with no time to take them");
    }
    health->backlog_drops = drops;
}

static bool is_slow(const char *clock)
{
    static const char *const slow[] = {"hpet", "acpi_pm", "jiffies", "refined-jiffies", "pit"};
    for (unsigned i = 0; i < G_N_ELEMENTS(slow); i++) {
        if (!strcmp(clock, slow[i])) {
            return true;
        }
    }
    return false;
}

static void look_at_clock(struct health *health, uint64_t heartbeat)
{
    g_autofree char *clock = read_file(health, "/sys/devices/system/clocksource/clocksource0/current_clocksource");
    if (!clock) {
        return;
    }
    if (health->clock && strcmp(health->clock, clock) != 0) {
        notice(health, CAUSE_CLOCK, heartbeat, "its clock source changed from %s to %s", health->clock, clock);
    } else if (is_slow(clock)) {
        notice(health, CAUSE_CLOCK, heartbeat, "its clock source is %s, which is slow", clock);
    }
    g_free(health->clock);
    health->clock = g_steal_pointer(&clock);
}

void health_look(struct health *health, bool settled, uint64_t heartbeat)
{
    health->counts = health->looked && health->settled && settled;
    look_at_cpu(health, health->counts, heartbeat);
    look_at_backlog(health, health->counts, heartbeat);
    if (settled) {
        look_at_clock(health, heartbeat);
    }
    health->looked = true;
    health->settled = settled;
}

void health_upcalls(struct health *health, uint64_t frames, uint64_t heartbeat)
{
    if (health->counts && frames > health->lost_upcalls) {
        notice(health, CAUSE_UPCALLS, heartbeat, "Open vSwitch dropped frames of new flows, with no time to find their ways");
    }
    health->lost_upcalls = frames;
}

void health_late_timers(struct health *health, uint32_t timers, uint64_t heartbeat)
{
    if (health->counts && timers > LATE_MOST) {
        notice(health, CAUSE_TIMERS, heartbeat, "its timers were more than 1 ms late");
    }
}

void health_drops(struct health *health, uint64_t key, uint64_t frames, const char *what, uint64_t heartbeat)
{
    uint64_t *known = g_hash_table_lookup(health->drops, &key);
    if (known && frames > *known) {
        notice(health, CAUSE_NETEM, heartbeat, "netem dropped frames, with too many in flight, at the %s", what);
    }
    if (!known) {
        known = g_new(uint64_t, 1);
        g_hash_table_insert(health->drops, g_memdup2(&key, sizeof key), known);
    }
    *known = frames;
}

void health_forget_drops(struct health *health, uint64_t key)
{
    g_hash_table_remove(health->drops, &key);
}

void health_tell(const struct health *health, GHashTable *ret)
{
    g_hash_table_remove_all(ret);
    for (unsigned i = 0; i < CAUSES; i++) {
        if (health->causes[i].sentence) {
            g_hash_table_insert(ret, g_strdup(health->causes[i].sentence), GUINT_TO_POINTER((guint)health->causes[i].heartbeat));
        }
    }
}
