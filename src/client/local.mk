# libdistem: the public client library.
lib_LTLIBRARIES += libdistem.la
libdistem_la_SOURCES = \
	src/client/api.c src/client/error.c src/client/exec.c src/client/frames.c src/client/frames.h src/client/internal.h \
	src/client/request.c src/client/upgrade.c include/distem/exec-protocol.h
libdistem_la_CFLAGS = $(AM_CFLAGS) $(CURL_CFLAGS)
# current:revision:age, see libtool's manual, "Updating version info".
libdistem_la_LDFLAGS = $(AM_LDFLAGS) -version-info 0:0:0 -no-undefined -export-symbols-regex '^distem_'
libdistem_la_LIBADD = $(CURL_LIBS) $(JANSSON_LIBS) $(GLIB_LIBS)
distemincludedir = $(includedir)/distem
disteminclude_HEADERS = include/distem/client.h

# For those who build upon it.
pkgconfigdir = $(libdir)/pkgconfig
pkgconfig_DATA = src/client/distem.pc
CLEANFILES += src/client/distem.pc
EXTRA_DIST += src/client/distem.pc.in
src/client/distem.pc: src/client/distem.pc.in Makefile
	$(AM_V_GEN)$(MKDIR_P) src/client && sed -e 's,[@]libdir[@],$(libdir),' -e 's,[@]includedir[@],$(includedir),' \
	    -e 's,[@]version[@],$(PACKAGE_VERSION),' $(srcdir)/src/client/distem.pc.in >$@.tmp && mv $@.tmp $@

check_PROGRAMS += tests/unit/test-client
tests_unit_test_client_SOURCES = tests/unit/test-client.c src/client/frames.c src/client/frames.h
tests_unit_test_client_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_unit_test_client_LDADD = libdistem.la $(JANSSON_LIBS) $(GLIB_LIBS)
TESTS += tests/unit/test-client
