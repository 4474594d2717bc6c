# Sourced by the lint tests: what there is to look at.
# shellcheck shell=bash
set -u

: "${top_srcdir:?run it through make check-lint}" "${top_builddir:?run it through make check-lint}"
cd "$top_srcdir" || exit 99

# The project's own C files; in a checkout those that git knows or does not ignore, in a tarball all.
c_files() {
    if git rev-parse --git-dir >/dev/null 2>&1; then
        git ls-files --cached --others --exclude-standard -- '*.c' '*.h' | sort -u | while read -r file; do
            [[ ! -e $file ]] || echo "$file"
        done
    else
        find include src ovs tests -name '*.[ch]' | sort
    fi
}

skip_all() {
    # With exit status 77 automake's driver would count an error, too.
    echo "1..0 # SKIP $*"
    exit 0
}

# result NAME OUTPUT-FILE STATUS: one test point.
tap_count=0
result() {
    tap_count=$((tap_count + 1))
    if [[ $3 -eq 0 ]]; then
        echo "ok $tap_count - $1"
    else
        echo "not ok $tap_count - $1"
        # clang-tidy counts what it does not show.
        grep -v ' warnings\? generated\.$' "$2" | head -n 60 | sed 's/^/# /'
    fi
}
