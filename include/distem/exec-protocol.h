/* SPDX-License-Identifier: Apache-2.0 */
/* What is spoken on the socket of an upgraded exec request (Upgrade: distem-exec), after the HTTP answer 101: frames of
 *   type (1 byte), length of the payload (4 bytes, big endian), payload. */
#ifndef DISTEM_EXEC_PROTOCOL_H
#define DISTEM_EXEC_PROTOCOL_H 1

#define EXEC_PROTOCOL "distem-exec"
#define EXEC_HEADER_SIZE 5
#define EXEC_PAYLOAD_MAX 65536

enum exec_frame {
    /* From the client. */
    EXEC_STDIN = 'i',  /* Data for the command's standard input; an empty payload closes it. */
    EXEC_RESIZE = 'w', /* Terminal size: rows, columns, 2 bytes each, big endian. */
    EXEC_SIGNAL = 's', /* One byte: a signal number to send to the command. */
    /* From the vnode. */
    EXEC_STDOUT = 'o',
    EXEC_STDERR = 'e',
    EXEC_EXIT = 'x',  /* One byte, the last frame: the exit code, 128 + n for signal n. */
    EXEC_ERROR = 'f', /* The last frame: a sentence that says why the command could not be run. */
};

#endif
