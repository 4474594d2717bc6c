/* SPDX-License-Identifier: Apache-2.0 */
/* The one error type of the project: a GError of domain DISTEM_ERROR whose code says what kind of failure it is.
 *
 * A function that can fail returns false, NULL or a negative number and takes `GError **error` as its last parameter; on success
 * it leaves it alone. Messages are sentences for the user: what was wrong, where, what was expected. Library code returns
 * errors and logs nothing; the daemon's top level logs them once, REST turns the code into a status, the CLI into an exit code. */
#ifndef DISTEM_ERROR_H
#define DISTEM_ERROR_H 1

#include <stdbool.h>

#include <glib.h>

#define DISTEM_ERROR (distem_error_quark())

enum distem_error_code {
    DISTEM_ERROR_INVALID,     /* The caller's input is wrong: 400. */
    DISTEM_ERROR_NOT_FOUND,   /* What was named does not exist: 404. */
    DISTEM_ERROR_CONFLICT,    /* It exists, or is busy with something else: 409. */
    DISTEM_ERROR_TOO_LARGE,   /* A size limit is exceeded: 413. */
    DISTEM_ERROR_CAPACITY,    /* The pnodes cannot hold what is asked: 507. */
    DISTEM_ERROR_UNSUPPORTED, /* This kernel or machine lacks what is needed: 501. */
    DISTEM_ERROR_UNAVAILABLE, /* A daemon or database does not answer: 503. */
    DISTEM_ERROR_SYSTEM,      /* The machine refused: 500. */
};

/* Returns the error domain. */
GQuark distem_error_quark(void);

/* Returns the word that stands for 'code' in JSON, "invalid" for DISTEM_ERROR_INVALID. Static. */
const char *distem_error_name(int code);

/* Returns the HTTP status for 'code'. */
unsigned distem_error_http_status(int code);

/* Returns the code for the word 'name', or DISTEM_ERROR_SYSTEM for an unknown one. */
int distem_error_from_name(const char *name);

/* Sets '*error' (may be NULL) to 'code' and the formatted sentence, with ": " and strerror('errnum') behind it when errnum is not
 * 0. Always returns false, so that `return fail(...)` reads well. */
bool fail(GError **error, int code, int errnum, const char *format, ...) G_GNUC_PRINTF(4, 5);

/* A problem in a user's file. All problems of a file are collected before it is refused. */
struct diagnostic {
    char *file;    /* As the user named it; "-" for standard input. NULL when there is no file. */
    unsigned line; /* From 1; 0 when there is no place in a text. */
    char *pointer; /* JSON pointer (RFC 6901), "" for the whole document; NULL when there is none. */
    char *message; /* What is wrong and what was expected: a sentence without a full stop. */
};

/* A list of problems. Initialise with {0} or diagnostics_clear(). */
struct diagnostics {
    GPtrArray *list; /* Of struct diagnostic; NULL while empty. */
};

/* Adds a problem; all strings are copied. 'file' and 'pointer' may be NULL. */
void diagnostics_add(struct diagnostics *, const char *file, unsigned line, const char *pointer, const char *format, ...)
    G_GNUC_PRINTF(5, 6);
/* Returns how many there are. */
unsigned diagnostics_count(const struct diagnostics *);
/* Returns problem 'i', valid until the list is cleared. */
const struct diagnostic *diagnostics_get(const struct diagnostics *, unsigned i);
/* Returns "FILE:LINE: POINTER: MESSAGE" with the parts that are known; the caller frees. */
char *diagnostic_format(const struct diagnostic *);
/* Frees the problems; the list is empty again and may be used further. */
void diagnostics_clear(struct diagnostics *);
/* Declares a list that is cleared when it goes out of scope. */
#define AUTO_DIAGNOSTICS __attribute__((cleanup(diagnostics_clear))) struct diagnostics

#endif
