# HTTP server glue: route table, JSON bodies, errors.
noinst_LTLIBRARIES += librest.la
librest_la_SOURCES = \
	src/rest/internal.h src/rest/reply.c src/rest/request.c src/rest/route.c src/rest/server.c \
	include/distem/rest.h include/distem/poll.h
librest_la_CFLAGS = $(AM_CFLAGS) $(MICROHTTPD_CFLAGS)
librest_la_LIBADD = libbase.la $(MICROHTTPD_LIBS) $(JANSSON_LIBS) $(GLIB_LIBS)

check_PROGRAMS += tests/unit/test-rest
tests_unit_test_rest_SOURCES = tests/unit/fake-poll.c tests/unit/fake-poll.h tests/unit/rest-client.c tests/unit/rest-client.h tests/unit/test-rest.c
tests_unit_test_rest_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir) $(MICROHTTPD_CFLAGS)
tests_unit_test_rest_LDADD = librest.la
TESTS += tests/unit/test-rest
