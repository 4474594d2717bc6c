# The evaluation: `make evaluate` measures again, in exact time, what doc/evaluation shows. As long as it takes; a reduced one is a test.
EXTRA_PROGRAMS += tests/evaluate/distem-measure
tests_evaluate_distem_measure_SOURCES = tests/evaluate/measure.c
