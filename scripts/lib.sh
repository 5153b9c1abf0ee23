# shellcheck shell=bash disable=SC2034
# What the scripts share; sourced, never run. Leaves the caller in the root of the checkout.
# (SC2034: the variables are for those that source it.)

# --help of each script is the comment at its head.
for word; do
    [[ $word == --help || $word == -h ]] || continue
    sed -n '2,${/^#/!q;s/^# \{0,1\}//p}' "$0"
    exit 0
done

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root" || exit

# The release products; tests and packagers may point elsewhere.
export SWSGI_BUILD_DIR=${SWSGI_BUILD_DIR:-$root/.build/release}
export DEBIAN_FRONTEND=noninteractive
modules=/usr/lib/apache2/modules
examples=(hello guestbook upload clock)

# Debian keeps apache2 in sbin, which is not on everybody's PATH.
PATH=$PATH:/usr/sbin:/sbin
if ! command -v swift >/dev/null && [[ -x /opt/swift/usr/bin/swift ]]; then
    PATH=$PATH:/opt/swift/usr/bin
fi

fail() {
    echo "${0##*/}: $*" >&2
    exit 1
}

need_root() {
    [[ $EUID -eq 0 ]] || fail "needs root: it runs daemon processes under another user"
}

need_swift() {
    command -v swift >/dev/null || fail "no Swift toolchain on PATH or in /opt/swift/usr/bin: see https://www.swift.org/install"
}

# need_packages NAME...: installs those that are missing; without any missing there is no network traffic.
need_packages() {
    local name missing=() no_service=""
    for name; do
        [[ $(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null) == installed ]] || missing+=("$name")
    done
    [[ ${#missing[@]} -gt 0 ]] || return 0
    [[ $EUID -eq 0 ]] || fail "needs root to install: ${missing[*]}"
    echo "Installing ${missing[*]}"
    # Installing apache2 would start a web server on port 80: Debian's own policy hook prevents that.
    if [[ ! -e /usr/sbin/policy-rc.d ]]; then
        no_service=/usr/sbin/policy-rc.d
        printf '#!/bin/sh\nexit 101\n' >"$no_service"
        chmod 755 "$no_service"
    fi
    local status=0
    { apt-get -q update && apt-get -qy install --no-install-recommends "${missing[@]}"; } >&2 || status=$?
    [[ -z $no_service ]] || rm -f "$no_service"
    [[ $status -eq 0 ]] || fail "apt-get could not install: ${missing[*]}"
}

# All tests in one program.
test_program=$root/.build/debug/mod_swsgiPackageTests.xctest

# build_tests: that program and what is linked into it; the bundles that tests serve are the release build's.
build_tests() {
    swift build --product mod_swsgiPackageTests
}

# A free port of the loopback interface; perl-base is on every Debian.
free_port() {
    perl -MIO::Socket::INET -e \
        'print IO::Socket::INET->new(Listen => 1, LocalAddr => "127.0.0.1", LocalPort => 0)->sockport, "\n"'
}

# pid:starttime names a process beyond doubt: a pid alone may be given to a stranger.
identity() {
    local stat
    stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
    # The second field, the program's name in parentheses, may itself hold spaces.
    read -ra stat <<<"${stat##*) }"
    [[ ${stat[0]} != Z ]] || return 1
    echo "$1:${stat[19]}"
}

# descendants PID: identities of the process and of all processes below it.
descendants() {
    local child
    identity "$1" || return 0
    for child in $(pgrep -P "$1" || true); do
        descendants "$child"
    done
}

still_there() {
    local known
    for known; do
        [[ $(identity "${known%%:*}") != "$known" ]] || echo "$known"
    done
}

# apache_start DIRECTORY: an Apache of its own from DIRECTORY/httpd.conf; its pid goes to DIRECTORY/httpd.pid.
apache_start() {
    local directory=$1 tries
    if ! apache2 -f "$directory/httpd.conf" -k start; then
        cat "$directory/error.log" >&2 2>/dev/null || true
        return 1
    fi
    # The parent writes its pid once the configuration stands for the second time.
    for ((tries = 0; tries < 100; tries++)); do
        [[ ! -s $directory/httpd.pid ]] || return 0
        sleep 0.1
    done
    cat "$directory/error.log" >&2 || true
    echo "${0##*/}: Apache did not come up" >&2
    return 1
}

# apache_stop DIRECTORY: ends it and waits for every process below it. A process that must be killed is a defect.
apache_stop() {
    local directory=$1 pid known tries
    [[ -s $directory/httpd.pid ]] || return 0
    pid=$(cat "$directory/httpd.pid")
    # After a crash of the machine the pid may be a stranger's.
    tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" | grep -qF -- "-f $directory/httpd.conf" || return 0
    mapfile -t known < <(descendants "$pid")
    [[ ${#known[@]} -gt 0 ]] || return 0
    kill -TERM "$pid" || true
    for ((tries = 0; tries < 150; tries++)); do
        mapfile -t known < <(still_there "${known[@]}")
        [[ ${#known[@]} -gt 0 ]] || return 0
        sleep 0.1
    done
    for pid in "${known[@]}"; do
        echo "${0##*/}: still there after 15 seconds, killing it: $(tr '\0' ' ' <"/proc/${pid%%:*}/cmdline")" >&2
        kill -KILL "${pid%%:*}" || true
    done
    return 1
}

# reachable DIRECTORY: can www-data, the user of httpd's children and of the examples, walk into it?
reachable() {
    runuser -u www-data -- test -x "$1"
}

# private_directory NAME: a new directory that www-data can reach, outside the checkout.
private_directory() {
    local directory
    directory=$(mktemp -d "/var/tmp/$1.XXXXXX")
    chmod 755 "$directory"
    echo "$directory"
}
