# distem-relay: a pnode's actions for the coordinator.
pkglibexec_PROGRAMS += distem-relay
distem_relay_SOURCES = \
	src/relay/main.c src/relay/pump.c src/relay/pump.h \
	src/client/error.c src/client/internal.h src/client/request.c src/client/upgrade.c
distem_relay_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
distem_relay_CFLAGS = $(AM_CFLAGS) $(CURL_CFLAGS)
distem_relay_LDADD = libbase.la $(CURL_LIBS) $(JANSSON_LIBS) $(GLIB_LIBS)
