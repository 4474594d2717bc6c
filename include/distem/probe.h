/* SPDX-License-Identifier: Apache-2.0 */
/* The prober, `distem-probe`: measures RTT, loss and TCP goodput between network namespaces. One process opens sockets in all the
 * namespaces that it is told of (a socket stays in the namespace it was opened in), so both ends of a measurement share one clock.
 *
 * It reads one JSON object from standard input:
 *   {"netns": {"1": "/run/distem/netns/1", ...},                       key -> path
 *    "rounds": [[TEST, ...], ...]}                                      tests of a round run together, rounds one after the other
 *   TEST: {"id": 7, "kind": "rtt",     "from": "1", "to": "2", "from_address": "10.0.0.1", "to_address": "10.0.0.2",
 *          "count": 10, "interval_ns": 100000000, "timeout_ns": 2000000000}       ICMP echo; the first, unmeasured one resolves
 * neighbours
 *         {"id": 8, "kind": "loss",    ..., "count": 1000, "interval_ns": 1000000, "size": 64, "timeout_ns": ...}     UDP, one way
 *         {"id": 9, "kind": "goodput", ..., "bandwidth": 1000000 (bit/s expected; 0 unknown), "duration_ns": 0 (0: chosen from the
 * bandwidth), "mss": 0}                                                                                   TCP, from -> to and
 * writes one JSON object a line to standard output as each test ends:
 *   {"id": 7, "sent": 10, "received": 10, "rtt_ns": {"min":, "mean":, "max":, "deviation":, "median":}}
 *   {"id": 8, "sent": 1000, "received": 990}
 *   {"id": 9, "bytes": 1234567, "duration_ns": 10000000000, "goodput": 987654.3}       payload bits per second at the receiver,
 * without warm-up
 *   {"id": 9, "error": "what failed, where"}
 * It exits with 0 when every test has an answer (an error is one), with 2 when the input cannot be used. */
#ifndef DISTEM_PROBE_H
#define DISTEM_PROBE_H 1

#define PROBE_EXIT_BAD_INPUT 2

#endif
