# HTTP server glue: route table, JSON bodies, errors.
noinst_LTLIBRARIES += librest.la
librest_la_SOURCES = \
	src/rest/internal.h src/rest/reply.c src/rest/request.c src/rest/route.c src/rest/server.c \
	include/distem/rest.h include/distem/poll.h
librest_la_CFLAGS = $(AM_CFLAGS) $(MICROHTTPD_CFLAGS)
librest_la_LIBADD = libbase.la $(MICROHTTPD_LIBS) $(JANSSON_LIBS) $(GLIB_LIBS)
