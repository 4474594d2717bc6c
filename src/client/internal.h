/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of src/client share. */
#ifndef DISTEM_CLIENT_INTERNAL_H
#define DISTEM_CLIENT_INTERNAL_H 1

#include <curl/curl.h>
#include <glib.h>

#include "distem/client.h"

struct distem {
    char *url; /* Without a slash at its end. */
    CURL *curl;
};

/* error.c */

/* Sets '*error' (may be NULL). Always returns false. */
bool client_fail(struct distem_error *error, const char *code, const char *format, ...) G_GNUC_PRINTF(3, 4);
/* Sets '*error' to what the daemon answered: 'status' and the 'size' bytes of 'body'. Always returns false. */
bool client_fail_answer(struct distem_error *error, long status, const char *body, size_t size);

/* request.c */

/* Sends 'size' bytes of 'body' (NULL: none) and returns the answer's JSON, a new reference; or NULL with an error, also when the
 * daemon answered with one. */
json_t *client_request(struct distem *client, const char *method, const char *path, const char *body, size_t size,
                       struct distem_error *error);
/* Sets '*error' to why the daemon at 'url' gave no answer: the result 'code' of 'curl', whose error buffer says 'reason'. Always
 * returns false. */
bool client_fail_connection(struct distem_error *error, const char *url, CURL *curl, CURLcode code, const char *reason);
/* Returns 'text' percent-encoded, to be freed. */
char *client_encode(const char *text);

/* upgrade.c */

/* Connects 'curl' to the daemon at 'url' and asks it to turn POST 'path' with 'body' into a stream that speaks 'protocol'. On
 * success '*ret_fd' is the connection's socket, which belongs to 'curl'; what of the stream has come already is appended to
 * 'early'. */
bool client_upgrade(CURL *curl, const char *url, const char *path, const char *protocol, const char *body, curl_socket_t *ret_fd,
                    GByteArray *early, struct distem_error *error);

#endif
