# Traces of bandwidth, latency and loss: their text, and what holds when.
noinst_LTLIBRARIES += libplayback.la
libplayback_la_SOURCES = src/playback/opportunities.c src/playback/opportunities.h src/playback/parse.c src/playback/schedule.c \
	include/distem/playback.h
libplayback_la_LIBADD = libbase.la

playback_tests = tests/unit/test-playback-opportunities tests/unit/test-playback-parse tests/unit/test-playback-schedule
check_PROGRAMS += $(playback_tests)
TESTS += $(playback_tests)
tests_unit_test_playback_opportunities_SOURCES = tests/unit/test-playback-opportunities.c
tests_unit_test_playback_opportunities_LDADD = libplayback.la
tests_unit_test_playback_parse_SOURCES = tests/unit/test-playback-parse.c
tests_unit_test_playback_parse_LDADD = libplayback.la
tests_unit_test_playback_schedule_SOURCES = tests/unit/test-playback-schedule.c
tests_unit_test_playback_schedule_LDADD = libplayback.la
