/* SPDX-License-Identifier: Apache-2.0 */
/* Topology files: text <-> struct platform. Pure: no I/O. The format is described in doc/topology.md and, for machines, in
 * share/topology.schema.json. */
#ifndef DISTEM_TOPOLOGY_H
#define DISTEM_TOPOLOGY_H 1

#include <stddef.h>

#include <jansson.h>

#include "distem/error.h"
#include "distem/platform.h"

/* Reads the topology 'text' of 'size' bytes, which the user knows as 'file' (for messages). Everything that is wrong is added to
 * 'problems' with line and JSON pointer; then the result is NULL. Else the platform, which the caller frees. */
struct platform *topology_parse(const char *text, size_t size, const char *file, struct diagnostics *problems);

/* A file that the user wrote. */
struct topology_text {
    const char *text;
    size_t size;
    const char *file; /* As the user knows it. */
};
/* As topology_parse(), with a layout file (NULL: none), which says how the vnetworks are joined on this site. It takes the place of
 * the layout that the topology has itself. */
struct platform *topology_parse_with_layout(const struct topology_text *topology, const struct topology_text *layout,
                                            struct diagnostics *problems);

/* Writes 'platform' as a topology file; what is open (family 0, NULL, 0) or as by default is left out. topology_parse() of the
 * result gives an equal platform. The caller frees the text. */
char *topology_write(const struct platform *);

/* Says whether two platforms are equal in all that a topology file can say. In '*ret_difference' (may be NULL): what differs first,
 * for people, to be freed by the caller. */
bool topology_equal(const struct platform *, const struct platform *, char **ret_difference);

/* One direction's properties as a JSON object in the file's notation ({"latency": "20ms", ...}; {} for none). A new reference. */
json_t *impairment_to_json(const struct impairment *);
/* The same, where what follows a trace of 'platform' is {"trace": NAME}; above it is the value that stands for the trace. */
json_t *impairment_to_json_with_traces(const struct impairment *, const struct platform *platform);
/* The other way round. Problems are added with 'pointer' in front; returns whether there were none. */
bool impairment_from_json(const json_t *, const char *file, const char *pointer, struct impairment *ret,
                          struct diagnostics *problems);

/* The traces of 'platform' (borrowed), for patches that name them; each is read once, however many do. Freed with playbacks_free(),
 * which takes NULL. */
struct playbacks *playbacks_new(struct platform *platform);
void playbacks_free(struct playbacks *);
/* Adds the traces of the JSON object 'section', names with arrays of lines, to the platform. One that it has already must have the
 * same lines. Problems are added with 'pointer' in front; returns whether there were none. */
bool playbacks_add(struct playbacks *, const json_t *section, const char *pointer, struct diagnostics *problems);

/* Changes 'direction' of a viface in a vnetwork with that MTU (0: the usual one) as the JSON object 'patch' says, which has the
 * file's notation: what it names gets that value, or follows that trace of 'playbacks' (NULL: there are none); null or 0 ends a
 * property and those that need it, all else stays; a patch that is null itself ends all. What is wrong with the patch, or with the
 * result, is added to 'problems' with 'file' and the JSON pointer 'pointer' in front; then 'direction' is as it was and the result
 * is false. */
bool impairment_merge(struct impairment *direction, const json_t *patch, unsigned mtu, const struct playbacks *playbacks,
                      const char *file, const char *pointer, struct diagnostics *problems);

/* Returns 'matrix' with changes: an array of {"from": GROUP, "to": GROUP, "latency": "20ms", "loss": null, ...}, with groups as the
 * topology names them; null or 0 ends a value, what is not named stays. NULL with problems, 'pointer' being the array's. The caller
 * has a reference. */
struct matrix *matrix_revised(const struct matrix *matrix, const json_t *changes, const char *pointer,
                              struct diagnostics *problems);

/* Returns a sentence when the matrix of 'platform', which has one, does not go together with its vnetworks: a bandwidth at which a
 * full frame would take too long. Else NULL. The caller frees it. */
char *matrix_problem(const struct platform *);

/* Returns 'matrix' as a topology has it, but only the row of group 'from' and the column of group 'to', counted from 1; 0: all. A
 * new reference. */
json_t *matrix_to_json(const struct matrix *matrix, uint32_t from, uint32_t to);

/* Returns labels as an object: {"rack": "a", "site": "nancy"} for "rack=a,site=nancy", empty for NULL. A new reference. */
json_t *labels_json(const char *text);

/* Returns the line (from 1) at which the value that 'pointer' names begins in the JSON text, or 0 when it is not there. */
unsigned json_pointer_line(const char *text, size_t size, const char *pointer);

/* Returns the word in the NULL-terminated 'candidates' that is nearest to 'word' in spelling (Damerau-Levenshtein distance at most
 * a third of its length, at least 1), or NULL. */
const char *nearest_word(const char *word, const char *const *candidates);

#endif
