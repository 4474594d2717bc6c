/* SPDX-License-Identifier: Apache-2.0 */
/* How far something is: a bar in one line of the terminal behind standard error, lines elsewhere. */
#ifndef DISTEM_CLI_METER_H
#define DISTEM_CLI_METER_H 1

#include <stdbool.h>
#include <stdint.h>

/* Set by meter_begin(). */
struct meter {
    const char *done_word; /* What the count is of: "vnodes running". */
    bool silent;
    int64_t start;    /* Monotonic, us. */
    int64_t interval; /* us between two lines where there is no terminal; grows. */
    int64_t last;     /* When something was written last; 0: never. */
    int64_t written;  /* The count then. */
    bool on_line;     /* The bar is on the terminal's current line. */
};

/* Begins to measure the time. */
void meter_begin(struct meter *, const char *done_word, bool silent);
/* Shows 'done' of 'total' (0: unknown), of which 'failed' went wrong. */
void meter_show(struct meter *, int64_t done, int64_t total, int64_t failed);
/* Takes the bar away, so that something else can be written. */
void meter_clear(struct meter *);
/* Returns the seconds since meter_begin(). */
double meter_seconds(const struct meter *);

#endif
