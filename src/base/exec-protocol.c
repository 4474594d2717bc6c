/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "distem/exec-protocol.h"

#include <string.h>

void exec_header_write(uint8_t header[EXEC_HEADER_SIZE], enum exec_frame type, size_t length)
{
    header[0] = (uint8_t)type;
    header[1] = (uint8_t)(length >> 24);
    header[2] = (uint8_t)(length >> 16);
    header[3] = (uint8_t)(length >> 8);
    header[4] = (uint8_t)length;
}

uint8_t *exec_reader_space(struct exec_reader *reader, size_t *ret_size)
{
    if (reader->start) {
        memmove(reader->bytes, reader->bytes + reader->start, reader->length);
        reader->start = 0;
    }
    *ret_size = sizeof reader->bytes - reader->length;
    return reader->bytes + reader->length;
}

void exec_reader_added(struct exec_reader *reader, size_t n)
{
    reader->length += n;
}

enum exec_reader_state exec_reader_next(struct exec_reader *reader, uint8_t *ret_type, const uint8_t **ret_payload,
                                        size_t *ret_length)
{
    if (reader->length < EXEC_HEADER_SIZE) {
        return EXEC_READER_MORE;
    }
    const uint8_t *header = reader->bytes + reader->start;
    size_t length = (size_t)header[1] << 24 | (size_t)header[2] << 16 | (size_t)header[3] << 8 | header[4];
    if (length > EXEC_PAYLOAD_MAX) {
        return EXEC_READER_INVALID;
    }
    if (reader->length < EXEC_HEADER_SIZE + length) {
        return EXEC_READER_MORE;
    }
    reader->start += EXEC_HEADER_SIZE + length;
    reader->length -= EXEC_HEADER_SIZE + length;
    *ret_type = header[0];
    *ret_payload = header + EXEC_HEADER_SIZE;
    *ret_length = length;
    return EXEC_READER_FRAME;
}
