/* SPDX-License-Identifier: Apache-2.0 */
/* Properties of one direction that contradict each other, or that the kernel could only do in another way than they say. */
#include <config.h>

#include <inttypes.h>

#include "distem/units.h"
#include "impairment-table.h"

#define ETHERNET_HEADER 14
#define BITS_PER_BYTE 8
#define MEMORY_S 60u /* Of the kernel's HTB. */
#define QUEUE_BYTES_LIMIT (UINT64_C(1) << 30)

unsigned impairment_frame_size(unsigned mtu)
{
    return (mtu ? mtu : 1500) + ETHERNET_HEADER;
}

static void check_needs(struct reader *reader, const struct impairment *i, const char *prefix)
{
    for (enum property p = 0; p < PROPERTIES; p++) {
        enum property needed = impairment_properties[p].needs;
        if (needed != NEEDS_NOTHING && impairment_get(i, p) && !impairment_has(i, needed)) {
            reader_problem(reader, "%s%s needs %s, which is not given", prefix, impairment_fields[p].key,
                           impairment_fields[needed].key);
        }
    }
}

static void check_times(struct reader *reader, const struct impairment *i, const char *prefix)
{
    if (impairment_has(i, LATENCY) && i->jitter > i->latency) {
        g_autofree char *jitter = time_format(i->jitter), *latency = time_format(i->latency);
        reader_problem(reader,
                       "%sjitter %s is more than latency %s: expected at most that, as no frame can arrive before it was sent",
                       prefix, jitter, latency);
    }
    if (i->keep_order && i->reordering) {
        reader_problem(reader, "%skeep_order and reordering exclude each other: expected one of them", prefix);
    }
    if (i->seed && !i->jitter && impairment_loss(i) <= 0 && !i->duplication && !i->corruption && !i->reordering) {
        reader_problem(reader, "%sseed needs something random, and none is given: expected a jitter or a loss, for example",
                       prefix);
    }
}

static void check_losses(struct reader *reader, const struct impairment *i, const char *prefix)
{
    bool markov = i->markov_p13 || i->markov_p14;
    if ((i->loss != 0) + (i->gilbert_enter != 0) + markov > 1) {
        reader_problem(reader,
                       "%sloss, gilbert_enter and markov_p13 or _p14 are models that exclude each other: expected one of them",
                       prefix);
    }
    if (i->gilbert_enter && !i->gilbert_leave) {
        reader_problem(reader, "%sgilbert_enter needs gilbert_leave, or the bad state would never end", prefix);
    }
    if (i->markov_p13 && !i->markov_p31) {
        reader_problem(reader, "%smarkov_p13 needs markov_p31, or the bursts of losses would never end", prefix);
    }
    if (i->markov_p32 && !i->markov_p23) {
        reader_problem(reader, "%smarkov_p32 needs markov_p23, or losses would end for ever", prefix);
    }
    static const struct {
        enum property one, other;
    } pairs[] = {{MARKOV_P13, MARKOV_P14}, {MARKOV_P31, MARKOV_P32}};
    for (unsigned n = 0; n < G_N_ELEMENTS(pairs); n++) {
        if (impairment_get(i, pairs[n].one) + impairment_get(i, pairs[n].other) > PPB_ONE) {
            reader_problem(reader, "%s%s and %s are together more than 100%%: expected at most that, as both leave the same state",
                           prefix, impairment_fields[pairs[n].one].key, impairment_fields[pairs[n].other].key);
        }
    }
}

static void check_traces(struct reader *reader, const struct impairment *i, const char *prefix)
{
    const char *memory = impairment_memory(i);
    if (memory && (i->latency_trace || i->loss_trace)) {
        reader_problem(
            reader,
            "%s%s and a trace of the %s exclude each other, as the kernel would begin what is random anew at each change: "
            "expected one of them",
            prefix, memory, i->latency_trace ? "latency" : "loss");
    }
}

/* Checks the queue, of which a full frame counts 'frame' bytes. */
static void check_queue(struct reader *reader, const struct impairment *i, uint64_t frame, const char *prefix)
{
    g_autofree char *queue = impairment_queue_text(i);
    if (i->aqm && i->queue && i->queue_unit != QUEUE_PACKETS) {
        reader_problem(reader, "%squeue %s: the kernel's %s limits its queue in packets: expected a number such as \"1000packets\"",
                       prefix, queue, aqm_name(i->aqm));
    }
    if (i->bandwidth_trace & PLAYBACK_PAUSES && (i->aqm || i->queue_unit == QUEUE_PACKETS)) {
        reader_problem(
            reader,
            "%sbandwidth follows a trace in which it is 0 at times: expected no aqm, and a queue in bytes or as a time, as only "
            "such a queue can hold all frames back",
            prefix);
    }
    if (i->queue_unit == QUEUE_BYTES && i->queue && i->queue < frame) {
        reader_problem(reader, "%squeue %s is less than one frame: expected at least %" PRIu64 "B", prefix, queue, frame);
    }
    if (i->queue_unit == QUEUE_TIME && i->bandwidth) {
        unsigned __int128 bytes = (unsigned __int128)i->queue * i->bandwidth / BITS_PER_BYTE / (uint64_t)NS_PER_S;
        uint64_t least = (frame * BITS_PER_BYTE * (uint64_t)NS_PER_S + i->bandwidth - 1) / i->bandwidth;
        g_autofree char *rate = rate_format(i->bandwidth), *least_text = time_format((int64_t)least);
        if (bytes < frame) {
            reader_problem(reader, "%squeue %s is less than one frame at %s: expected at least %s", prefix, queue, rate,
                           least_text);
        } else if (bytes > QUEUE_BYTES_LIMIT) {
            reader_problem(reader, "%squeue %s is more than 1GiB at %s: expected at most that", prefix, queue, rate);
        }
    }
}

char *impairment_slowness(const struct impairment *i, unsigned frame)
{
    uint64_t counted = impairment_counted(i, frame);
    /* HTB forgets what is older. */
    if (!i->bandwidth || counted <= i->bandwidth * (uint64_t)MEMORY_S / BITS_PER_BYTE) {
        return NULL;
    }
    g_autofree char *rate = rate_format(i->bandwidth);
    return g_strdup_printf("bandwidth %s: a frame of %" PRIu64 " bytes would take more than %us: expected more, or a smaller MTU",
                           rate, counted, MEMORY_S);
}

static void check_bandwidth(struct reader *reader, const struct impairment *i, unsigned frame, const char *prefix)
{
    if (i->bandwidth % BITS_PER_BYTE) {
        g_autofree char *rate = rate_format(i->bandwidth);
        reader_problem(reader,
                       "%sbandwidth %s is no whole number of bytes per second, which the kernel counts in: expected %" PRIu64
                       "bit/s or %" PRIu64 "bit/s",
                       prefix, rate, i->bandwidth - i->bandwidth % BITS_PER_BYTE,
                       i->bandwidth - i->bandwidth % BITS_PER_BYTE + BITS_PER_BYTE);
    }
    struct impairment plain = *i;
    plain.overhead = 0;
    int least = -ETHERNET_HEADER - impairment_overhead(&plain);
    if (i->overhead < least) {
        reader_problem(reader, "%soverhead %dB leaves less than the packet of a frame with framing %s: expected at least %dB",
                       prefix, i->overhead, framing_name(i->framing), least);
    }
    uint64_t counted = impairment_counted(i, frame);
    check_queue(reader, i, counted, prefix);
    uint64_t most = i->bandwidth * (uint64_t)MEMORY_S / BITS_PER_BYTE;
    g_autofree char *too_slow = impairment_slowness(i, frame);
    if (too_slow) {
        reader_problem(reader, "%s%s", prefix, too_slow);
    } else if (i->bandwidth && i->burst > most) {
        g_autofree char *burst = size_format(i->burst), *rate = rate_format(i->bandwidth);
        reader_problem(reader, "%sburst %s is more than what passes in %us at %s: expected at most %" PRIu64 "B", prefix, burst,
                       MEMORY_S, rate, most);
    }
    if (i->burst && i->burst < counted) {
        g_autofree char *burst = size_format(i->burst);
        reader_problem(reader, "%sburst %s is less than one frame: expected at least %" PRIu64 "B", prefix, burst, counted);
    }
}

void impairment_check(struct reader *reader, const struct impairment *i, unsigned frame, const char *prefix)
{
    check_needs(reader, i, prefix);
    check_times(reader, i, prefix);
    check_losses(reader, i, prefix);
    check_traces(reader, i, prefix);
    check_bandwidth(reader, i, frame, prefix);
}
