# Benchmarks, run by `make bench`. Those that need no root are built by `make check`, too.
check_PROGRAMS += tests/bench/bench-plan
tests_bench_bench_plan_SOURCES = tests/bench/bench-plan.c
tests_bench_bench_plan_LDADD = libplan.la

check_PROGRAMS += tests/bench/bench-ovs
tests_bench_bench_ovs_SOURCES = tests/bench/bench-ovs.c tests/unit/ovs-sandbox.c tests/unit/ovs-sandbox.h
tests_bench_bench_ovs_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_bench_bench_ovs_LDADD = $(LIBOVS_LDADD) libplan.la libtopology.la libbase.la

EXTRA_PROGRAMS += tests/bench/bench-vnode
tests_bench_bench_vnode_SOURCES = tests/bench/bench-vnode.c $(vnode_fixture)
tests_bench_bench_vnode_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_bench_bench_vnode_LDADD = libvnode.la

EXTRA_PROGRAMS += tests/bench/bench-matrix
tests_bench_bench_matrix_SOURCES = tests/bench/bench-matrix.c
tests_bench_bench_matrix_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_bench_bench_matrix_CFLAGS = $(AM_CFLAGS) $(NL_CFLAGS) $(BPF_CFLAGS)
tests_bench_bench_matrix_LDADD = liblink.la $(BPF_LIBS)

EXTRA_DIST += tests/bench/bench-set.sh tests/bench/bench-matrix.sh

# bench-vnode starts containers: as root only. bench-set and bench-matrix go into the lab by themselves.
PHONY_TARGETS += bench
bench: all tests/bench/bench-plan tests/bench/bench-ovs tests/bench/bench-vnode tests/bench/bench-matrix
	tests/bench/bench-plan
	top_srcdir='$(abs_top_srcdir)' tests/bench/bench-ovs
	if test `id -u` = 0; then $(AM_TESTS_ENVIRONMENT) tests/bench/bench-vnode; else echo "bench-vnode: skipped, needs root"; fi
	top_srcdir='$(abs_top_srcdir)' top_builddir='$(abs_top_builddir)' bash $(srcdir)/tests/bench/bench-set.sh
	top_srcdir='$(abs_top_srcdir)' top_builddir='$(abs_top_builddir)' bash $(srcdir)/tests/bench/bench-matrix.sh
