# The evaluation: `make evaluate` measures again, in exact time, what doc/evaluation shows, for an hour or so. A reduced one is a test.
check_PROGRAMS += tests/evaluate/distem-measure
tests_evaluate_distem_measure_SOURCES = tests/evaluate/measure.c
ACCURACY_TESTS += tests/system/evaluation.sh
EXTRA_DIST += doc/evaluation tests/evaluate/applications.py tests/evaluate/experiment.py tests/evaluate/judge.py tests/evaluate/pair.py \
	tests/evaluate/parts.py tests/evaluate/plots.py tests/evaluate/report.py tests/evaluate/run.sh tests/evaluate/stats.py \
	tests/evaluate/theory.py

PHONY_TARGETS += evaluate
evaluate: all tests/evaluate/distem-measure
	$(top_srcdir)/tests/evaluate/run.sh '$(abs_top_builddir)'
