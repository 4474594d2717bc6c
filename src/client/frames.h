/* SPDX-License-Identifier: Apache-2.0 */
/* The frames of the exec protocol (include/distem/exec-protocol.h), cut out of a stream. Pure. */
#ifndef DISTEM_CLIENT_FRAMES_H
#define DISTEM_CLIENT_FRAMES_H 1

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <glib.h>

/* What was received and not yet taken. Start with {0}, end with frame_reader_clear(). */
struct frame_reader {
    GByteArray *data;
    size_t taken; /* Bytes at the start of 'data' that were handed out. */
};

struct frame {
    uint8_t type; /* enum exec_frame, or something newer. */
    const uint8_t *payload;
    size_t size;
};

/* Adds 'size' received bytes. Frames that were handed out become invalid. */
void frame_reader_feed(struct frame_reader *, const void *data, size_t size);
/* Takes the next frame, which stays valid until the next call with this reader. Returns 1; 0 when it has not arrived whole; -1 when
 * what came is no frame: its length is more than EXEC_PAYLOAD_MAX. */
int frame_reader_next(struct frame_reader *, struct frame *ret);
/* Says whether part of a frame has come. */
bool frame_reader_is_between(const struct frame_reader *);
void frame_reader_clear(struct frame_reader *);

/* Appends to 'out' as many frames of 'type' as 'size' bytes need: one when 'size' is 0. */
void frame_append(GByteArray *out, uint8_t type, const void *payload, size_t size);

#endif
