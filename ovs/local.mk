# All that knows Open vSwitch: the Distem database, the switch, the poll loop. The only objects that see its headers.
noinst_LTLIBRARIES += libovs.la
libovs_la_SOURCES = \
	ovs/db.c ovs/db-follow.c ovs/db-impl.h ovs/db-read.c ovs/db-text.c ovs/db-text.h ovs/db-write.c \
	ovs/answers.c ovs/bridges.c ovs/forwarding.c ovs/forwarding.h ovs/forwarding-impl.h \
	ovs/library.c ovs/library.h ovs/ofconn.c ovs/ofconn.h ovs/physical.c ovs/poll.c \
	ovs/rule-set.c ovs/rule-set.h ovs/server-keeper.c ovs/server-process.c ovs/server-process.h ovs/servers.c \
	ovs/vswitch.c ovs/vswitch-impl.h ovs/vswitch-purge.c ovs/vswitch-rows.c \
	include/distem/db.h include/distem/poll.h include/distem/vswitch.h
nodist_libovs_la_SOURCES = ovs/distem-idl.c ovs/distem-idl.h
# One of the functions that libopenvswitch was renamed (see ovs/build-libopenvswitch), called by what ovsdb-idlc writes: without it,
# maps of texts would be read by jansson's.
libovs_la_CPPFLAGS = $(AM_CPPFLAGS) $(OVS_CFLAGS) -Djson_string=ovs_json_string
# Its headers test macros that only its own config.h defines.
libovs_la_CFLAGS = $(AM_CFLAGS) -Wno-undef
# What a program links to use it (libtool keeps no static library's needs), before libtopology.la and libbase.la.
LIBOVS_LDADD = libovs.la $(OVS_LIBS)

dist_pkgdata_DATA += ovs/distem.ovsschema
EXTRA_DIST += ovs/distem.ann
CLEANFILES += ovs/distem-idl.c ovs/distem-idl.h ovs/distem.ovsidl

# An uninstalled ovsdb-idlc lies beside the Python modules that it needs.
RUN_OVSDB_IDLC = PYTHONDONTWRITEBYTECODE=1 PYTHONPATH="`dirname $(OVSDB_IDLC)`/../python:$$PYTHONPATH" $(PYTHON) $(OVSDB_IDLC)
ovs/distem.ovsidl: ovs/distem.ovsschema ovs/distem.ann
	$(AM_V_GEN)$(MKDIR_P) ovs && $(RUN_OVSDB_IDLC) annotate $(srcdir)/ovs/distem.ovsschema $(srcdir)/ovs/distem.ann >$@.tmp && mv $@.tmp $@
ovs/distem-idl.h: ovs/distem.ovsidl
	$(AM_V_GEN)$(RUN_OVSDB_IDLC) c-idl-header $< >$@.tmp && mv $@.tmp $@
ovs/distem-idl.c: ovs/distem.ovsidl
	$(AM_V_GEN)$(RUN_OVSDB_IDLC) c-idl-source $< >$@.tmp && mv $@.tmp $@
$(libovs_la_OBJECTS): ovs/distem-idl.h

check_PROGRAMS += tests/unit/test-ovs-db
db_test_fixture = tests/unit/db-fixture.c tests/unit/db-fixture.h tests/unit/ovs-sandbox.c tests/unit/ovs-sandbox.h
tests_unit_test_ovs_db_SOURCES = tests/unit/test-ovs-db.c $(db_test_fixture)
tests_unit_test_ovs_db_LDADD = $(LIBOVS_LDADD) libtopology.la libbase.la
TESTS += tests/unit/test-ovs-db

check_PROGRAMS += tests/unit/test-ovs-db-pnodes
tests_unit_test_ovs_db_pnodes_SOURCES = tests/unit/test-ovs-db-pnodes.c $(db_test_fixture)
tests_unit_test_ovs_db_pnodes_LDADD = $(LIBOVS_LDADD) libtopology.la libbase.la
TESTS += tests/unit/test-ovs-db-pnodes

check_PROGRAMS += tests/unit/test-ovs-cluster
tests_unit_test_ovs_cluster_SOURCES = tests/unit/test-ovs-cluster.c $(db_test_fixture)
tests_unit_test_ovs_cluster_LDADD = $(LIBOVS_LDADD) libtopology.la libbase.la
TESTS += tests/unit/test-ovs-cluster

check_PROGRAMS += tests/unit/test-ovs-vswitch
tests_unit_test_ovs_vswitch_SOURCES = tests/unit/test-ovs-vswitch.c tests/unit/ovs-sandbox.c tests/unit/ovs-sandbox.h
tests_unit_test_ovs_vswitch_LDADD = $(LIBOVS_LDADD) libtopology.la libbase.la
TESTS += tests/unit/test-ovs-vswitch

check_PROGRAMS += tests/unit/test-ovs-servers
tests_unit_test_ovs_servers_SOURCES = tests/unit/test-ovs-servers.c tests/unit/ovs-sandbox.c tests/unit/ovs-sandbox.h
tests_unit_test_ovs_servers_LDADD = $(LIBOVS_LDADD) libtopology.la libbase.la
TESTS += tests/unit/test-ovs-servers

check_PROGRAMS += tests/system/test-switch
tests_system_test_switch_SOURCES = tests/system/test-switch.c
tests_system_test_switch_LDADD = $(LIBOVS_LDADD) libtopology.la libbase.la
SYSTEM_TESTS += tests/system/switch-native.sh

# Fifty pnodes' control plane, without root.
check_PROGRAMS += tests/system/test-fifty
tests_system_test_fifty_SOURCES = tests/system/test-fifty.c tests/system/switch-tracer.c tests/system/switch-tracer.h \
	tests/unit/generate-platform.c tests/unit/generate-platform.h $(db_test_fixture)
tests_system_test_fifty_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_system_test_fifty_LDADD = libpnode.la liblink.la libplan.la $(LIBOVS_LDADD) libtopology.la libbase.la $(JANSSON_LIBS)
SYSTEM_TESTS += tests/system/fifty.sh
