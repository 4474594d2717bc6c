/* SPDX-License-Identifier: Apache-2.0 */
/* What is spoken on the socket of an upgraded exec request (Upgrade: distem-exec), after the HTTP answer 101: frames of
 *   type (1 byte), length of the payload (4 bytes, big endian), payload.
 * A client that ends its direction of the stream has hung up: the command gets SIGHUP, then SIGKILL. Input is taken no faster than
 * the command reads it; frames behind it wait. Of what the command's own children print after its end, nothing is waited for. */
#ifndef DISTEM_EXEC_PROTOCOL_H
#define DISTEM_EXEC_PROTOCOL_H 1

#include <stddef.h>
#include <stdint.h>

#define EXEC_PROTOCOL "distem-exec"
#define EXEC_HEADER_SIZE 5
#define EXEC_PAYLOAD_MAX 65536

enum exec_frame {
    /* From the client. */
    EXEC_STDIN = 'i',  /* Data for the command's standard input; an empty payload closes it (on a terminal: types ^D). */
    EXEC_RESIZE = 'w', /* Terminal size: rows, columns, 2 bytes each, big endian. */
    EXEC_SIGNAL = 's', /* One byte: a signal number to send to the command's process group (on a terminal: the one in front). */
    /* From the vnode. */
    EXEC_STDOUT = 'o',
    EXEC_STDERR = 'e',
    EXEC_EXIT = 'x', /* One byte, the last frame: the exit code, 128 + n for signal n; 127: no such command, 126: not executable. */
    EXEC_ERROR = 'f', /* The last frame: a sentence that says why the command could not be run. */
};

/* Writes the header of a frame with 'length' <= EXEC_PAYLOAD_MAX bytes of payload. */
void exec_header_write(uint8_t header[EXEC_HEADER_SIZE], enum exec_frame type, size_t length);

/* Cuts a stream into frames. Initialise with length and start 0. */
struct exec_reader {
    size_t start, length; /* What of 'bytes' is not used up yet. */
    uint8_t bytes[EXEC_HEADER_SIZE + EXEC_PAYLOAD_MAX];
};
enum exec_reader_state { EXEC_READER_MORE, EXEC_READER_FRAME, EXEC_READER_INVALID };

/* Returns where to put bytes that have come, and how many fit (never 0 after EXEC_READER_MORE); then exec_reader_added() takes 'n'
 * of them in. Frames got earlier are no longer valid. */
uint8_t *exec_reader_space(struct exec_reader *, size_t *ret_size);
void exec_reader_added(struct exec_reader *, size_t n);
/* Takes the next frame out. EXEC_READER_MORE: it is not complete yet. EXEC_READER_INVALID: it is too long, and the stream is
 * useless. The type is not checked. '*ret_payload' points into the reader until bytes are added. */
enum exec_reader_state exec_reader_next(struct exec_reader *, uint8_t *ret_type, const uint8_t **ret_payload, size_t *ret_length);

#endif
