/* SPDX-License-Identifier: Apache-2.0 */
/* The prober, `distem-probe --netns DIR`: measures RTT, loss and TCP goodput between vnodes. It runs on the machine of the vnodes,
 * whose network namespaces are the files DIR/ID, and opens sockets in them (a socket stays in the namespace it was opened in). It
 * needs CAP_SYS_ADMIN and CAP_NET_ADMIN, and leaves nothing behind when it ends or is killed.
 *
 * A test has an end "from" and an end "to". When both are on one machine, one prober has both. Else the prober of each machine has
 * one end, and whoever drives the probers carries the ends' messages to each other between them. The ends do the same in both
 * cases.
 *
 * The prober reads one JSON object a line from standard input, until that is closed; then it ends, whatever is still running:
 *   {"round": [TEST, ...]}        starts tests, which run together. The next round is to be sent when all have answered.
 *   TEST: {"id": 7, "kind": "rtt",     "from": "n1", "to": "n2", "from_vnode": 3, "to_vnode": 5, "from_address": "10.0.0.1",
 *          "to_address": "10.0.0.2", "count": 10, "interval_ns": 100000000, "timeout_ns": 2000000000}
 *         {"id": 8, "kind": "loss",    ..., "count": 1000, "interval_ns": 1000000, "size": 64, "timeout_ns": 2000000000}
 *         {"id": 9, "kind": "goodput", ..., "bandwidth": 1000000, "duration_ns": 0, "mss": 0, "timeout_ns": 15000000000}
 *     with "end": "from" or "to" when only that end is here. No two tests that run have the same id.
 *   {"id": 8, "peer": MESSAGE}    a message from the other end, which is elsewhere.
 * and writes one JSON object a line to standard output. As a test ends, where its "from" is:
 *   {"id": 7, "sent": 10, "received": 10, "duplicates": 0, "rtt_ns": {"min":, "mean":, "max":, "deviation":, "median":}}
 *   {"id": 8, "sent": 1000, "received": 990, "duplicates": 0, "reordered": 0}
 *   {"id": 9, "bytes": 1234567, "duration_ns": 10000000000, "goodput": 987654.3, "warm_up_ns": 1000000000, "mss": 1448,
 *    "retransmits": 0}
 *   {"id": 9, "error": "goodput from n1 (10.0.0.1) to n2 (10.0.0.2): what failed, where"}
 * and, when one end of a test is elsewhere, the line that the other end's prober is to read, as it is:
 *   {"id": 8, "peer": MESSAGE}
 * All numbers of a test are integers; unknown keys are refused.
 *
 * rtt: ICMP echoes of 24 bytes, 'interval_ns' apart: long enough that they do not queue behind each other. Echoes that are not
 *   measured come before them, three per timeout for three timeouts, until one is answered: they make the way known to neighbours
 *   and switches. It ends when all are answered, or 'timeout_ns' after the last; an error if none was. There is only a "from".
 * loss: UDP datagrams of 'size' bytes of payload (16 or more, not fragmented), 'interval_ns' apart or more; after unmeasured ones
 *   as above, but if none arrives, that is the result. "received" counts each datagram once, "reordered" those that arrived after a
 *   later one. It ends when all have arrived, or 'timeout_ns' after the last.
 * goodput: a TCP stream (cubic). "bandwidth" is the bit/s of Ethernet frames expected on the way, 0 if not known; it determines how
 *   long is measured (optional "duration_ns", if not 0, does instead): 150 full frames, at least 2 s, at most 60 s. The warm-up
 *   before takes at least 1 s, 10 round trips and 20 frames, and up to 15 s more (1 s from 500 Mbit/s on, or if not known) until
 *   the bandwidth is reached. "goodput" is the payload bit/s that arrived in the time measured, by the clock of "to": 8 * bytes /
 *   duration; "retransmits" are the segments sent again meanwhile. Optional: "mss", the largest segment with TCP's options as
 *   TCP_MAXSEG takes it (0: as the route says; the result's "mss" is the payload), and "timeout_ns" for the connection (15 s).
 *
 * Messages between the ends. Of all tests: {"error": WHY} from an end "to" that had to give up, whereupon "from" answers so;
 * {"end": true} from "from", which has answered. Then first {"port": N} of "from", then {"port": N} of "to", with "nonce", which
 * marks the datagrams, for loss. loss: {"warm": true} an unmeasured datagram has arrived; {"sent": N} of "from" after the last
 * one's timeout; {"received": N, "duplicates": N, "reordered": N} of "to" then, or when all have arrived. goodput: {"ask": true} of
 * "to" when the bandwidth is reached, answered by {"steady": whether slow start and its losses are over};
 *     {"window": true} measuring has begun; {"bytes": N, "duration_ns": N, "warm_up_ns": N} what it gave.
 *
 * Every end of a test ends in a time that follows from its parameters, whatever the other does. Exit status: 0 after the end of
 * input, 2 when the input or the command line cannot be used, 1 when the results cannot be written or the machine refuses what all
 * tests need; with 1 and 2 a sentence on standard error says why. */
#ifndef DISTEM_PROBE_H
#define DISTEM_PROBE_H 1

#define PROBE_EXIT_BAD_INPUT 2

#endif
