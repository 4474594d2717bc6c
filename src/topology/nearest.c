/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include <string.h>

#include "distem/topology.h"

#define WORD_LIMIT 64 /* Longer words are nobody's misspelling. */

/* Returns how many letters must be added, removed, replaced or swapped with their neighbour to turn 'a' into 'b', or 'limit' + 1
 * when it is more than 'limit'. */
static size_t distance(const char *a, size_t a_length, const char *b, size_t b_length, size_t limit)
{
    size_t rows[3][WORD_LIMIT + 1];
    size_t *before_last = rows[0], *last = rows[1], *row = rows[2];
    for (size_t j = 0; j <= b_length; j++) {
        last[j] = j;
    }
    for (size_t i = 1; i <= a_length; i++) {
        row[0] = i;
        size_t least = i;
        for (size_t j = 1; j <= b_length; j++) {
            size_t best = last[j - 1] + (a[i - 1] != b[j - 1]);
            best = MIN(best, MIN(last[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                best = MIN(best, before_last[j - 2] + 1);
            }
            row[j] = best;
            least = MIN(least, best);
        }
        if (least > limit) {
            return limit + 1;
        }
        size_t *freed = before_last;
        before_last = last;
        last = row;
        row = freed;
    }
    return last[b_length];
}

const char *nearest_word(const char *word, const char *const *candidates)
{
    size_t length = strlen(word);
    size_t limit = MAX(length / 3, 1);
    const char *nearest = NULL;
    if (length > WORD_LIMIT) {
        return NULL;
    }
    for (; *candidates; candidates++) {
        size_t candidate_length = strlen(*candidates);
        size_t difference = MAX(length, candidate_length) - MIN(length, candidate_length);
        if (candidate_length > WORD_LIMIT || difference > limit) {
            continue;
        }
        size_t d = distance(word, length, *candidates, candidate_length, limit);
        if (d <= limit) {
            nearest = *candidates;
            if (!d) {
                break;
            }
            limit = d - 1;
        }
    }
    return nearest;
}
