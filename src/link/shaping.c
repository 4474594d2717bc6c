/* SPDX-License-Identifier: Apache-2.0 */
/* The figures that a qdisc needs and the user did not give. Bytes are those that the direction's framing counts.
 *
 * A direction is netem (latency, loss ...) with a rate behind it: a frame is first delayed, then waits for the bandwidth. With a
 * constant latency the times at the far end are the same as on a real link, which queues first: moving a FIFO server behind a
 * constant delay shifts all its events by that delay. Hence two separate stores, which netem alone would mix up: its limit counts
 * the frames in flight and those in the queue alike (see net/sched/sch_netem.c, netem_enqueue()).
 *
 * queue = max(bandwidth * 200 ms, 10 full frames), at most 64 MiB.
 *      200 ms is a wide-area round trip: the rule "buffer = RTT * rate" (Villamizar and Song, High performance TCP in ANSNET, 1994)
 * that keeps one TCP flow at full rate. Ten frames is TCP's first window (RFC 6928), which a slow link must not cut. The limit
 * keeps one flooded viface from eating the machine's memory: 64 MiB are 200 ms at 2.7 Gbit/s, and a queue of that many small frames
 * costs some ten times its size in the kernel.
 *
 * burst = bandwidth * 250 us + 1 full frame.
 *      HTB wakes by high resolution timers, but late by the softirq latency; what it could have sent meanwhile is made up for by at
 * most this. A larger one makes up for a busier machine, but is what a link that was idle sends too fast: 2.5 % of what passes in
 * 10 ms.
 *
 * limit = 2 million/s * (latency + 4 * jitter) + queue / 42 + 1000, at most 10 million.
 *      Frames in flight in netem, which comes before the bandwidth and therefore sees whatever is sent. 2 million a second is what
 *      one CPU moves through a veth pair, and 10 Gbit/s in frames of 625 bytes. A latency deviates by at most four times its
 * jitter: distribution tables hold 16 bit numbers scaled by 8192. Kernels before 6.13 count also what waits behind netem: no frame
 * is smaller than 42 bytes (UDP over IPv4 or ARP, unpadded on veth). 1000 is netem's own default. Only frames that are there use
 * memory. */
#include <config.h>

#include "distem/link.h"
#include "distem/units.h"

#define FRAME_HEADER 18 /* Ethernet with a VLAN tag. */
#define SMALLEST_FRAME 42
#define QUEUE_TIME_US UINT64_C(200000)
#define QUEUE_FRAMES 10
#define QUEUE_MAX (UINT64_C(64) << 20)
#define ARRIVALS_PER_MS 2000
#define JITTER_MAX_FACTOR 4
#define LIMIT_SPARE 1000
#define LIMIT_MAX 10000000
#define US_PER_S 1000000

/* Returns how many bytes pass in 'us' at 'bandwidth' bit/s (below 2^62). */
static uint64_t bytes_in(uint64_t bandwidth, uint64_t us)
{
    return (uint64_t)((unsigned __int128)bandwidth * us / 8 / US_PER_S);
}

uint64_t shaping_frame(const struct impairment *impairment, unsigned mtu)
{
    return impairment_counted(impairment, mtu + FRAME_HEADER);
}

uint64_t shaping_queue(const struct impairment *impairment, unsigned mtu)
{
    uint64_t frame = shaping_frame(impairment, mtu), queue = impairment->queue;
    if (!queue) {
        return CLAMP(bytes_in(impairment->bandwidth, QUEUE_TIME_US), QUEUE_FRAMES * frame, QUEUE_MAX);
    }
    if (impairment->queue_unit == QUEUE_TIME) {
        unsigned __int128 bytes = (unsigned __int128)impairment->bandwidth * queue / 8 / (uint64_t)NS_PER_S;
        queue = (uint64_t)MIN(bytes, UINT32_MAX);
    } else if (impairment->queue_unit == QUEUE_PACKETS) {
        queue = MIN(queue, UINT32_MAX) * frame;
    }
    /* A queue that holds no frame would stop the link. */
    return CLAMP(queue, frame, UINT32_MAX);
}

uint32_t shaping_queue_packets(const struct impairment *impairment, unsigned mtu)
{
    if (impairment->queue && impairment->queue_unit == QUEUE_PACKETS) {
        return (uint32_t)MIN(impairment->queue, UINT32_MAX);
    }
    uint64_t frame = shaping_frame(impairment, mtu);
    return (uint32_t)((shaping_queue(impairment, mtu) + frame - 1) / frame);
}

uint64_t shaping_burst(const struct impairment *impairment, unsigned mtu)
{
    uint64_t frame = shaping_frame(impairment, mtu);
    if (impairment->burst) {
        return CLAMP(impairment->burst, frame, UINT32_MAX);
    }
    return MIN(bytes_in(impairment->bandwidth, SHAPING_BURST_US) + frame, UINT32_MAX);
}

uint32_t shaping_limit(const struct impairment *impairment, unsigned mtu)
{
    if (impairment->latency_trace) { /* Its latency is the least of many. */
        return LIMIT_MAX;
    }
    unsigned __int128 longest = (unsigned __int128)impairment->latency + (unsigned __int128)impairment->jitter * JITTER_MAX_FACTOR;
    unsigned __int128 in_flight = (longest * ARRIVALS_PER_MS + NS_PER_MS - 1) / (unsigned __int128)NS_PER_MS;
    bool packets = impairment->queue_unit == QUEUE_PACKETS || impairment->aqm;
    uint64_t waiting = packets ? shaping_queue_packets(impairment, mtu) : shaping_queue(impairment, mtu) / SMALLEST_FRAME;
    return (uint32_t)MIN(in_flight + (impairment->bandwidth ? waiting : 0) + LIMIT_SPARE, LIMIT_MAX);
}
