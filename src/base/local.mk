# Errors, units, IP prefixes, logging: what every other folder may use.
noinst_LTLIBRARIES += libbase.la
libbase_la_SOURCES = \
	src/base/error.c src/base/exec-protocol.c src/base/ip.c src/base/log.c src/base/spawn.c src/base/units.c \
	include/distem/error.h include/distem/exec-protocol.h include/distem/ip.h include/distem/log.h include/distem/spawn.h include/distem/units.h
libbase_la_LIBADD = $(GLIB_LIBS)

base_tests = tests/unit/test-base tests/unit/test-ip tests/unit/test-units
check_PROGRAMS += $(base_tests)
TESTS += $(base_tests)
tests_unit_test_base_SOURCES = tests/unit/test-base.c
tests_unit_test_base_LDADD = libbase.la
tests_unit_test_ip_SOURCES = tests/unit/test-ip.c
tests_unit_test_ip_LDADD = libbase.la
tests_unit_test_units_SOURCES = tests/unit/test-units.c
tests_unit_test_units_LDADD = libbase.la
