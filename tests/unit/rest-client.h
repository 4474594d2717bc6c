/* SPDX-License-Identifier: Apache-2.0 */
/* For tests of src/rest: a client on a raw socket, in the same loop as the server. */
#ifndef TESTS_REST_CLIENT_H
#define TESTS_REST_CLIENT_H 1

#include <glib.h>

#include "distem/rest.h"

struct rest_client {
    struct rest_server *server;
    int fd;
    GString *received;
    gboolean ended; /* The server has closed, or reset, the connection. */
};

/* Connects to 'server'. */
struct rest_client *rest_client_new(struct rest_server *server);
void rest_client_free(struct rest_client *client);
/* One turn of the loop. */
void rest_client_turn(struct rest_client *client);
/* Sends all of it while the server runs; stops early, without failing, when the server ends the connection. */
void rest_client_send(struct rest_client *client, const char *data, gsize size);
/* Runs until the server has closed the connection, and returns all that it sent. */
const char *rest_client_finish(struct rest_client *client);
/* Sends a request (a text with "\r\n" for each "\n"), and returns all of the answer. The request says "Connection: close". */
char *rest_exchange(struct rest_server *server, const char *request);

#endif
