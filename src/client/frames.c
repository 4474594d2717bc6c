/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "frames.h"

#include "distem/exec-protocol.h"

void frame_reader_feed(struct frame_reader *reader, const void *data, size_t size)
{
    if (!reader->data) {
        reader->data = g_byte_array_new();
    }
    if (reader->taken) {
        g_byte_array_remove_range(reader->data, 0, (guint)reader->taken);
        reader->taken = 0;
    }
    g_byte_array_append(reader->data, data, (guint)size);
}

int frame_reader_next(struct frame_reader *reader, struct frame *ret)
{
    size_t size = reader->data ? reader->data->len - reader->taken : 0;
    if (size < EXEC_HEADER_SIZE) {
        return 0;
    }
    const uint8_t *start = reader->data->data + reader->taken;
    size_t length = (size_t)start[1] << 24 | (size_t)start[2] << 16 | (size_t)start[3] << 8 | start[4];
    if (length > EXEC_PAYLOAD_MAX) {
        return -1;
    }
    if (size < EXEC_HEADER_SIZE + length) {
        return 0;
    }
    reader->taken += EXEC_HEADER_SIZE + length;
    *ret = (struct frame){.type = start[0], .payload = start + EXEC_HEADER_SIZE, .size = length};
    return 1;
}

bool frame_reader_is_between(const struct frame_reader *reader)
{
    return reader->data && reader->data->len > reader->taken;
}

void frame_reader_clear(struct frame_reader *reader)
{
    if (reader->data) {
        g_byte_array_unref(reader->data);
    }
    *reader = (struct frame_reader){0};
}

void frame_append(GByteArray *out, uint8_t type, const void *payload, size_t size)
{
    const uint8_t *next = payload;
    do {
        size_t part = MIN(size, EXEC_PAYLOAD_MAX);
        const uint8_t header[EXEC_HEADER_SIZE] = {type, (uint8_t)(part >> 24), (uint8_t)(part >> 16), (uint8_t)(part >> 8),
                                                  (uint8_t)part};
        g_byte_array_append(out, header, sizeof header);
        if (part) {
            g_byte_array_append(out, next, (guint)part);
            next += part;
        }
        size -= part;
    } while (size);
}
