# shellcheck shell=bash disable=SC2034,SC2154
# How each peer of scripts/bench is configured; sourced by it, which sets $run and $modules.
# Each function prepares the directory $run and prints what is added to the common configuration.
# (SC2034, SC2154: variables of scripts/bench.)

# Where the release of mod_wsgi from PyPI stays, once it has been built; remove it to have a newer one.
pypi=/var/cache/swsgi-bench/mod_wsgi

# peer_packages PEER: Debian's packages that it needs.
peer_packages() {
    case $1 in
    swsgi | swsgi-embedded | static) ;;
    mod_wsgi | mod_wsgi-embedded) echo libapache2-mod-wsgi-py3 ;;
    mod_wsgi-pypi | mod_wsgi-pypi-embedded) echo apache2-dev gcc python3-dev python3-pip ;;
    uwsgi) echo uwsgi-core uwsgi-plugin-python3 ;;
    constant | constant-walkless) echo apache2-dev gcc ;;
    *) fail "unknown peer $1" ;;
    esac
}

# Builds mod_wsgi from PyPI for Debian's interpreter, which Debian's mod_wsgi has too.
pypi_build() {
    [[ ! -e $pypi ]] || return 0
    echo "Building mod_wsgi from PyPI into $pypi" >&2
    local new status=0
    mkdir -p "${pypi%/*}"
    new=$(mktemp -d "$pypi.XXXXXX")
    chmod 755 "$new"
    timeout 300 /usr/bin/python3 -m pip install -q --no-deps --root-user-action=ignore --target "$new" mod_wsgi >&2 || status=$?
    if [[ $status -ne 0 ]]; then
        rm -rf "$new"
        return 1
    fi
    mv -T "$new" "$pypi"
}

prepare() {
    case $1 in
    swsgi) prepare_swsgi && daemon_directives ;;
    swsgi-embedded) prepare_swsgi && embedded_directives ;;
    mod_wsgi) prepare_mod_wsgi "$modules/mod_wsgi.so" && daemon_directives ;;
    mod_wsgi-embedded) prepare_mod_wsgi "$modules/mod_wsgi.so" && embedded_directives ;;
    mod_wsgi-pypi) prepare_mod_wsgi "$(echo "$pypi"/mod_wsgi/server/*.so)" && daemon_directives ;;
    mod_wsgi-pypi-embedded) prepare_mod_wsgi "$(echo "$pypi"/mod_wsgi/server/*.so)" && embedded_directives ;;
    uwsgi) prepare_uwsgi ;;
    constant) prepare_constant On ;;
    constant-walkless) prepare_constant Off ;;
    static) prepare_static ;;
    esac
}

daemon_directives() {
    cat <<CONF
WSGIDaemonProcess bench user=www-data group=www-data processes=2 threads=16 display-name=bench
WSGIScriptAlias /hello $run/app/hello.wsgi
WSGIScriptAlias /reload $run/app/reload.wsgi
WSGIDaemonProcess loads user=www-data group=www-data processes=2 threads=16 display-name=loads
WSGIScriptAlias /bench $run/app/bench.wsgi process-group=loads
<Directory $run/app>
    WSGIProcessGroup bench
    WSGIApplicationGroup %{GLOBAL}
</Directory>
CONF
}

embedded_directives() {
    cat <<CONF
WSGIScriptAlias /hello $run/app/hello.wsgi
<Directory $run/app>
    WSGIProcessGroup %{GLOBAL}
    WSGIApplicationGroup %{GLOBAL}
</Directory>
CONF
}

prepare_swsgi() {
    scripts/install "$run/prefix" >&2
    chmod -R go+rX "$run/prefix"
    install -m 644 "$SWSGI_BUILD_DIR/libExample_hello.so" "$run/app/hello.so"
    echo "bundle = hello.so" >"$run/app/hello.wsgi"
    install -m 644 "$SWSGI_BUILD_DIR/libFixtureVersionA.so" "$run/app/reload.so"
    echo "bundle = reload.so" >"$run/app/reload.wsgi"
    install -m 644 "$SWSGI_BUILD_DIR/libFixtureBench.so" "$run/app/bench.so"
    printf 'bundle = bench.so\ndirectory = .\n' >"$run/app/bench.wsgi"
    echo "LoadModule wsgi_module $run/prefix/lib/swsgi/mod_swsgi.so"
}

prepare_mod_wsgi() {
    install -m 644 scripts/bench.d/hello.py "$run/app/hello.wsgi"
    install -m 644 scripts/bench.d/stamp.py "$run/app/reload.wsgi"
    install -m 644 scripts/bench.d/bench.py "$run/app/bench.wsgi"
    echo "LoadModule wsgi_module $1"
    echo "WSGISocketPrefix $run/wsgi"
}

prepare_uwsgi() {
    install -m 644 scripts/bench.d/hello.py "$run/app/hello.py"
    # The lock is uWSGI's own advice for several processes with threads; without it, it is slower.
    uwsgi-core --plugin python3 --thunder-lock --master --die-on-term --need-app --uid www-data --gid www-data \
        --socket "$run/uwsgi.socket" --chown-socket www-data:www-data --processes 2 --threads 16 \
        --wsgi-file "$run/app/hello.py" --disable-logging --logto "$run/uwsgi.log" >/dev/null 2>&1 &
    uwsgi_pid=$!
    cat <<CONF
LoadModule proxy_module $modules/mod_proxy.so
LoadModule proxy_uwsgi_module $modules/mod_proxy_uwsgi.so
# retry=0: a request before uWSGI listens must not shut it out for a minute.
ProxyPass /hello unix:$run/uwsgi.socket|uwsgi://localhost/ retry=0
CONF
}

# prepare_constant WALK: On or Off.
prepare_constant() {
    mkdir "$run/build"
    cp scripts/bench.d/constant.c "$run/build"
    if ! (cd "$run/build" && apxs -Wc,-Wall -Wc,-Werror -c constant.c >build.log 2>&1); then
        cat "$run/build/build.log" >&2
        fail "apxs could not build scripts/bench.d/constant.c"
    fi
    : >"$run/app/constant"
    echo "LoadModule constant_module $run/build/.libs/constant.so"
    echo "ConstantAlias $run/app/constant"
    echo "ConstantWalk $1"
}

# httpd's own answer from a file, with the headers that files get.
prepare_static() {
    echo "Hello, world!" >"$run/app/hello"
    echo "DocumentRoot $run/app"
    echo "ForceType text/plain"
}
