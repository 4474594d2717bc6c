/* SPDX-License-Identifier: Apache-2.0 */
/* The prober, `distem-probe`: measures RTT, loss and TCP goodput between network namespaces. One process opens sockets in all the
 * namespaces that it is told of (a socket stays in the namespace it was opened in), so both ends of a measurement share one clock.
 * It needs CAP_SYS_ADMIN and CAP_NET_ADMIN, and leaves nothing behind when it ends or is killed.
 *
 * It reads one JSON object from standard input:
 *   {"netns": {"n1": "/run/distem/netns/1", ...},                      name, as messages call it -> path
 *    "rounds": [[TEST, ...], ...]}                                     tests of a round run together, rounds one after the other
 *   TEST: {"id": 7, "kind": "rtt",     "from": "n1", "to": "n2", "from_address": "10.0.0.1", "to_address": "10.0.0.2",
 *          "count": 10, "interval_ns": 100000000, "timeout_ns": 2000000000}
 *         {"id": 8, "kind": "loss",    ..., "count": 1000, "interval_ns": 1000000, "size": 64, "timeout_ns": 2000000000}
 *         {"id": 9, "kind": "goodput", ..., "bandwidth": 1000000, "duration_ns": 0, "mss": 0, "timeout_ns": 15000000000}
 * and writes one JSON object a line to standard output as each test ends:
 *   {"id": 7, "sent": 10, "received": 10, "duplicates": 0, "rtt_ns": {"min":, "mean":, "max":, "deviation":, "median":}}
 *   {"id": 8, "sent": 1000, "received": 990, "duplicates": 0, "reordered": 0}
 *   {"id": 9, "bytes": 1234567, "duration_ns": 10000000000, "goodput": 987654.3, "warm_up_ns": 1000000000, "mss": 1448,
 *    "retransmits": 0}
 *   {"id": 9, "error": "goodput from n1 (10.0.0.1) to n2 (10.0.0.2): what failed, where"}
 * All numbers of the input are integers; unknown keys are refused.
 *
 * rtt: ICMP echoes of 24 bytes, 'interval_ns' apart: long enough that they do not queue behind each other. Echoes that are not
 *   measured come before them, three per timeout for three timeouts, until one is answered: they make the way known to neighbours
 *   and switches. It ends when all are answered, or 'timeout_ns' after the last; an error if none was. Only "from" needs a
 *   namespace.
 * loss: UDP datagrams of 'size' bytes of payload (16 or more, not fragmented), 'interval_ns' apart or more; after unmeasured ones
 * as above, but if none arrives, that is the result. "received" counts each datagram once, "reordered" those that arrived after a
 *   later one. It ends when all have arrived, or 'timeout_ns' after the last.
 * goodput: a TCP stream (cubic). "bandwidth" is the bit/s of Ethernet frames expected on the way, 0 if not known; it determines how
 *   long is measured (optional "duration_ns", if not 0, does instead): 150 full frames, at least 2 s, at most 60 s. The warm-up
 *   before takes at least 1 s, 10 round trips and 20 frames, and up to 15 s more (1 s from 500 Mbit/s on, or if not known) until
 * the bandwidth is reached. "goodput" is the payload bit/s that arrived in the time measured, 8 * bytes / duration; "retransmits"
 *   are the segments sent again meanwhile. Optional: "mss", the largest segment with TCP's options as TCP_MAXSEG takes it (0: as
 *   the route says; the result's "mss" is the payload), and "timeout_ns" for the connection (15 s).
 *
 * Every test ends in a time that follows from its parameters. Exit status: 0 when every test has an answer (an error is one), 2
 * when the input cannot be used, 1 when the results cannot be written or the machine refuses what all tests need; with 1 and 2 a
 * sentence on standard error says why. */
#ifndef DISTEM_PROBE_H
#define DISTEM_PROBE_H 1

#define PROBE_EXIT_BAD_INPUT 2

#endif
