# distemd.
sbin_PROGRAMS += distemd
distemd_SOURCES = \
	src/daemon/main.c src/daemon/membership.c src/daemon/membership.h src/daemon/options.c src/daemon/options.h src/daemon/role.c src/daemon/role.h \
	src/daemon/serve.c src/daemon/serve.h src/daemon/service.c src/daemon/service.h
distemd_LDADD = libcoordinator.la libpnode.la librest.la libplan.la liblink.la libvnode.la $(LIBOVS_LDADD) libtopology.la libbase.la \
	$(MICROHTTPD_LIBS) $(NL_LIBS) $(JANSSON_LIBS) $(GLIB_LIBS) -lm

check_PROGRAMS += tests/unit/test-daemon
TESTS += tests/unit/test-daemon
tests_unit_test_daemon_SOURCES = tests/unit/test-daemon.c src/daemon/membership.c src/daemon/options.c
tests_unit_test_daemon_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_unit_test_daemon_LDADD = libbase.la

dist_man_MANS += doc/man/distemd.8
EXTRA_DIST += share/distemd.service.in
if SYSTEMD_UNIT
systemdsystemunit_DATA = share/distemd.service
endif
CLEANFILES += share/distemd.service
share/distemd.service: share/distemd.service.in Makefile
	$(AM_V_GEN)$(MKDIR_P) share && sed 's,[@]sbindir[@],$(sbindir),' $(srcdir)/share/distemd.service.in >$@.tmp && mv $@.tmp $@
