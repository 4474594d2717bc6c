# libdistem: the public client library.
lib_LTLIBRARIES += libdistem.la
libdistem_la_SOURCES = \
	src/client/api.c src/client/error.c src/client/exec.c src/client/frames.c src/client/frames.h src/client/internal.h \
	src/client/request.c include/distem/exec-protocol.h
libdistem_la_CFLAGS = $(AM_CFLAGS) $(CURL_CFLAGS)
# current:revision:age, see libtool's manual, "Updating version info".
libdistem_la_LDFLAGS = $(AM_LDFLAGS) -version-info 0:0:0 -no-undefined -export-symbols-regex '^distem_'
libdistem_la_LIBADD = $(CURL_LIBS) $(JANSSON_LIBS) $(GLIB_LIBS)
distemincludedir = $(includedir)/distem
disteminclude_HEADERS = include/distem/client.h
