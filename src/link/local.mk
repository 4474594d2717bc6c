# The network of vnodes by netlink: namespaces, veth, IFB, qdiscs.
noinst_LTLIBRARIES += liblink.la
liblink_la_SOURCES = \
	src/link/apply.c src/link/devices.c src/link/devices.h src/link/distribution.c src/link/distribution.h src/link/drops.c \
	src/link/features.c src/link/features.h \
	src/link/fingerprint.c src/link/guest.c src/link/guest.h src/link/ipconf.c src/link/ipconf.h src/link/manager.c src/link/manager.h \
	src/link/ahead.c src/link/ahead.h src/link/matrix.c src/link/matrix.h src/link/matrix-bpf.h src/link/merging.c \
	src/link/netdev.c src/link/netdev.h src/link/netem.c src/link/netns.c src/link/netns.h src/link/offload.c src/link/offload.h src/link/port.c src/link/port.h \
	src/link/player.c \
	src/link/qdisc.c src/link/qdisc.h src/link/queue.c src/link/rate.c src/link/rate.h src/link/redirect.c src/link/redirect.h src/link/rtnl.c src/link/rtnl.h src/link/shape.c \
	src/link/shape.h src/link/shaping.c src/link/stage.c src/link/stage.h src/link/stab.c src/link/stab.h src/link/sysctl.c src/link/sysctl.h src/link/upcalls.c \
	include/distem/link.h
liblink_la_CPPFLAGS = $(AM_CPPFLAGS) -Isrc/link
liblink_la_CFLAGS = $(AM_CFLAGS) $(NL_CFLAGS) $(BPF_CFLAGS)
liblink_la_LIBADD = libtopology.la libbase.la $(NL_LIBS) $(BPF_LIBS) -lm

# A program for the kernel, as bytes that C includes. The types are those of BTF, hence -g.
EXTRA_DIST += src/link/matrix.bpf.c
BUILT_SOURCES += src/link/matrix-object.h
CLEANFILES += src/link/matrix-object.h src/link/matrix.bpf.o
src/link/matrix.bpf.o: $(srcdir)/src/link/matrix.bpf.c $(srcdir)/src/link/matrix-bpf.h
	@$(MKDIR_P) src/link
	$(AM_V_CC)$(BPF_CLANG) -O2 -g -target bpf $(BPF_INCLUDES) $(BPF_CFLAGS) -Wall -Wextra -c -o $@ $(srcdir)/src/link/matrix.bpf.c
$(liblink_la_OBJECTS): src/link/matrix-object.h
src/link/matrix-object.h: src/link/matrix.bpf.o
	$(AM_V_GEN)od -v -An -tu1 src/link/matrix.bpf.o | sed 's/ *\([0-9][0-9]*\)/\1,/g' > $@.tmp && mv $@.tmp $@

check_PROGRAMS += tests/unit/test-matrix-loss tests/unit/test-shaping tests/system/test-link tests/system/test-link-traffic \
	tests/system/test-link-accuracy tests/system/test-link-changes
tests_unit_test_matrix_loss_SOURCES = tests/unit/test-matrix-loss.c
tests_unit_test_matrix_loss_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_unit_test_matrix_loss_LDADD = $(GLIB_LIBS) -lm
tests_unit_test_shaping_SOURCES = tests/unit/test-shaping.c
tests_unit_test_shaping_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_unit_test_shaping_CFLAGS = $(AM_CFLAGS) $(NL_CFLAGS)
tests_unit_test_shaping_LDADD = liblink.la -lm
link_world = tests/system/link-world.c tests/system/link-world.h tests/system/link-picture.c
tests_system_test_link_SOURCES = tests/system/test-link.c $(link_world)
tests_system_test_link_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_system_test_link_CFLAGS = $(AM_CFLAGS) $(NL_CFLAGS)
tests_system_test_link_LDADD = liblink.la
tests_system_test_link_traffic_SOURCES = tests/system/test-link-traffic.c $(link_world)
tests_system_test_link_traffic_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_system_test_link_traffic_CFLAGS = $(AM_CFLAGS) $(NL_CFLAGS)
tests_system_test_link_traffic_LDADD = liblink.la -lm
tests_system_test_link_accuracy_SOURCES = tests/system/test-link-accuracy.c $(link_world)
tests_system_test_link_accuracy_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_system_test_link_accuracy_CFLAGS = $(AM_CFLAGS) $(NL_CFLAGS)
tests_system_test_link_accuracy_LDADD = libplan.la liblink.la -lm
tests_system_test_link_changes_SOURCES = tests/system/test-link-changes.c $(link_world)
tests_system_test_link_changes_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_system_test_link_changes_CFLAGS = $(AM_CFLAGS) $(NL_CFLAGS)
tests_system_test_link_changes_LDADD = liblink.la -lm
TESTS += tests/unit/test-matrix-loss tests/unit/test-shaping
SYSTEM_TESTS += tests/system/link-native.sh tests/system/link-traffic-native.sh
# The same two with netem and an exact clock, and what needs both.
ACCURACY_TESTS += tests/system/link.sh tests/system/link-traffic.sh tests/system/link-accuracy.sh \
	tests/system/link-changes.sh
