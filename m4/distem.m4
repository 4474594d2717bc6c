# DISTEM_REQUIRE(PREFIX, MODULES, DEBIAN-PACKAGES)
# Finds pkg-config MODULES for PREFIX_CFLAGS and PREFIX_LIBS, or stops with the name of the package that has them.
AC_DEFUN([DISTEM_REQUIRE],
    [PKG_CHECK_MODULES([$1], [$2], [],
        [AC_MSG_ERROR([$2 is missing: install the Debian package $3
($[]$1[]_PKG_ERRORS)])])])

# DISTEM_OPENVSWITCH
# Finds libopenvswitch: a source tree with its build (--with-ovs-source, --with-ovs-build, as OVN has them), else pkg-config.
AC_DEFUN([DISTEM_OPENVSWITCH],
    [AC_ARG_WITH([ovs-source],
        [AS_HELP_STRING([--with-ovs-source=DIR], [Open vSwitch source tree; see ovs/build-libopenvswitch])])
    AC_ARG_WITH([ovs-build],
        [AS_HELP_STRING([--with-ovs-build=DIR], [where it was built @<:@the source tree@:>@])])
    AS_IF([test -n "$with_ovs_source"],
        [AS_CASE([$with_ovs_source], [/*], [], [with_ovs_source="$(pwd)/$with_ovs_source"])
        AS_IF([test -z "$with_ovs_build"], [with_ovs_build=$with_ovs_source])
        AS_CASE([$with_ovs_build], [/*], [], [with_ovs_build="$(pwd)/$with_ovs_build"])
        AS_IF([test ! -f "$with_ovs_source/vswitchd/bridge.c"],
            [AC_MSG_ERROR([$with_ovs_source is not an Open vSwitch source tree: it has no vswitchd/bridge.c])])
        AS_IF([test ! -f "$with_ovs_build/lib/libopenvswitch.la"],
            [AC_MSG_ERROR([$with_ovs_build has no lib/libopenvswitch.la: build it with ovs/build-libopenvswitch])])
        OVS_CFLAGS="-I$with_ovs_source/include -I$with_ovs_build/include -I$with_ovs_source/lib -I$with_ovs_build/lib"
        OVS_CFLAGS="$OVS_CFLAGS -I$with_ovs_source -I$with_ovs_build"
        OVS_LIBS="$with_ovs_build/lib/libopenvswitch.la"
        OVSDB_IDLC="$with_ovs_source/ovsdb/ovsdb-idlc.in"],
        [PKG_CHECK_MODULES([OVS], [libopenvswitch >= 3.0], [],
            [AC_MSG_ERROR([libopenvswitch is missing: Debian has no development package of it. Install openvswitch-source, run
  ovs/build-libopenvswitch DIR
and configure with --with-ovs-source=DIR/openvswitch --with-ovs-build=DIR/build (./quickstart build does all this)])])
        AC_PATH_PROG([OVSDB_IDLC], [ovsdb-idlc])
        AS_IF([test -z "$OVSDB_IDLC"], [AC_MSG_ERROR([ovsdb-idlc is missing: it comes with the libopenvswitch that was found])])])
    # Its headers are clean but for this one.
    OVS_CFLAGS="$OVS_CFLAGS -Wno-sign-compare -fno-strict-aliasing"
    AC_SUBST([OVS_CFLAGS])
    AC_SUBST([OVS_LIBS])
    AC_SUBST([OVSDB_IDLC])])
