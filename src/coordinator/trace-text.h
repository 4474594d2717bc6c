/* SPDX-License-Identifier: Apache-2.0 */
/* What ofproto/trace answers, as data. Pure. */
#ifndef COORDINATOR_TRACE_TEXT_H
#define COORDINATOR_TRACE_TEXT_H 1

#include <jansson.h>

/* Reads such an answer (with port names: option --names). Returns a new array, a rule that was met each, in their order:
 *   {"bridge": "db1", "table": 2, "rule": "dl_dst=02:d1:00:00:00:05, priority 100", "actions": ["set_field:192.0.2.2->tun_dst",
 * "output:dt1"]} "rule" is "No match." where none was. */
json_t *trace_text_steps(const char *text);
/* Returns what the answer says that becomes of the packet, "dt1,dv4" or "drop"; to be freed; NULL where it does not say. */
char *trace_text_result(const char *text);

#endif
