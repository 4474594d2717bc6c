# The platform as structs; topology files.
noinst_LTLIBRARIES += libtopology.la
libtopology_la_SOURCES = \
	src/topology/check.c src/topology/delay-table.c src/topology/delay-tables.c src/topology/delay-tables.h src/topology/equal.c src/topology/direction.c src/topology/impairment.c src/topology/impairment.h \
	src/topology/impairment-check.c src/topology/impairment-read.c src/topology/impairment-table.h src/topology/layout.c src/topology/matrices.c src/topology/matrices.h src/topology/matrix.c src/topology/matrix-check.c \
	src/topology/layout.h src/topology/limits.c \
	src/topology/limits.h src/topology/names.c src/topology/names.h src/topology/nearest.c src/topology/overlay.c \
	src/topology/parse.c src/topology/parser.h src/topology/playbacks.c src/topology/playbacks.h src/topology/platform.c src/topology/position.c src/topology/position.h \
	src/topology/reader.c src/topology/reader.h src/topology/select.c src/topology/spec.c src/topology/spec.h src/topology/templates.c \
	src/topology/vnetworks.c src/topology/vnodes.c src/topology/vroutes.c src/topology/labels.c src/topology/labels.h \
	src/topology/wire.c src/topology/wire.h src/topology/writer.c \
	include/distem/delay-table.h include/distem/matrix.h include/distem/platform.h include/distem/select.h include/distem/topology.h
libtopology_la_LIBADD = libplayback.la libbase.la $(JANSSON_LIBS) -lm

dist_pkgdata_DATA += share/topology.schema.json
examplesdir = $(pkgdatadir)/examples
dist_examples_DATA = \
	examples/dual-stack.json examples/figure3.json examples/lossy-wireless.json examples/mixed.json examples/mixed-layout.json \
	examples/README.md examples/thousand.json examples/three-sites.json examples/vlan.json examples/vlan-layout.json examples/world.json examples/world-latency.csv

topology_tests = \
	tests/unit/test-topology-layout tests/unit/test-topology-parse tests/unit/test-topology-refuse tests/unit/test-topology-write \
	tests/unit/test-topology-text tests/unit/test-platform tests/unit/test-select
check_PROGRAMS += $(topology_tests)
TESTS += $(topology_tests) tests/unit/test-schema.py
EXTRA_DIST += tests/unit/test-schema.py
tests_unit_test_platform_SOURCES = tests/unit/test-platform.c
tests_unit_test_platform_LDADD = libtopology.la
tests_unit_test_select_SOURCES = tests/unit/test-select.c
tests_unit_test_select_LDADD = libtopology.la
tests_unit_test_topology_layout_SOURCES = tests/unit/test-topology-layout.c
tests_unit_test_topology_layout_LDADD = libtopology.la
tests_unit_test_topology_parse_SOURCES = tests/unit/test-topology-parse.c
tests_unit_test_topology_parse_LDADD = libtopology.la
tests_unit_test_topology_refuse_SOURCES = tests/unit/test-topology-refuse.c
tests_unit_test_topology_refuse_LDADD = libtopology.la
tests_unit_test_topology_text_SOURCES = tests/unit/test-topology-text.c
tests_unit_test_topology_text_LDADD = libtopology.la
tests_unit_test_topology_write_SOURCES = \
	tests/unit/test-topology-write.c tests/unit/generate-platform.c tests/unit/generate-platform.h
tests_unit_test_topology_write_LDADD = libtopology.la
