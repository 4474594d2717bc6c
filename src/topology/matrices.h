/* SPDX-License-Identifier: Apache-2.0 */
/* The latency matrix of a topology file: "matrix": {"latency": ["to, a, b", "a, 0, 10ms", "b, 10ms, 0"], "loss": ...}. Each
 * quantity is the lines of a table with commas, or the name of such lines under "matrices". */
#ifndef TOPOLOGY_MATRICES_H
#define TOPOLOGY_MATRICES_H 1

#include "distem/platform.h"
#include "reader.h"

/* Reads the matrix with the lines of 'matrices' (NULL: none), after the vnodes: gives 'platform' its matrix and the vnodes their
 * groups. */
void matrices_read(struct reader *, const json_t *matrix, const json_t *matrices, struct platform *platform);

#endif
