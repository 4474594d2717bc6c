/* SPDX-License-Identifier: Apache-2.0 */
/* One bridge's OpenFlow connection: makes the rules of ours that the bridge has equal to a set, again whenever the connection is
 * new or somebody else changes rules; each time one atomic bundle with the differences only. */
#ifndef OVS_OFCONN_H
#define OVS_OFCONN_H 1

#include <stdbool.h>
#include <stdint.h>

#include "rule-set.h"

struct ofconn;

/* Connects to the bridge's management socket 'path'. 'counter' (kept) counts the rules that were added, changed or removed. */
struct ofconn *ofconn_new(const char *path, uint64_t *counter);
void ofconn_free(struct ofconn *);
/* Sets the rules that are wanted; takes a reference of its own. */
void ofconn_want(struct ofconn *, struct rule_set *);
void ofconn_run(struct ofconn *);
void ofconn_wait(struct ofconn *);
/* Says whether the bridge had exactly the wanted rules of ours when last heard of. */
bool ofconn_is_synced(const struct ofconn *);
/* Returns what went wrong, for people, or NULL. Valid until the next ofconn_run(). */
const char *ofconn_error(const struct ofconn *);

#endif
