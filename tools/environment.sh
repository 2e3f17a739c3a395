# Sourced by tools/demo and tools/test: finds a Python, makes .venv, installs; says what it is doing.

say() { printf '\033[1m== %s\033[0m\n' "$*" >&2; }
fail() { printf 'leukoscope: %s\n' "$*" >&2; exit 2; }

# Runs a command as root, or says what an administrator has to run.
as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        fail "this needs root and there is no sudo here; ask an administrator to run: $*"
    fi
}

apt_install() {
    command -v apt-get >/dev/null || fail "this is no Debian or Ubuntu: install $* by hand, then run this again"
    say "Installing $* with apt"
    as_root apt-get update -qq
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null ||
        fail "apt could not install $*: see its message above"
}

# As apt_install, and what is installed is not started.
apt_install_idle() {
    local policy=/usr/sbin/policy-rc.d
    if [ -e "$policy" ]; then
        apt_install "$@"
        return
    fi
    printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
    as_root chmod +x "$policy"
    apt_install "$@"
    as_root rm -f "$policy"
}

# Debian keeps both where a user's PATH does not look.
need_mosquitto() { command -v mosquitto >/dev/null || [ -x /usr/sbin/mosquitto ] || apt_install mosquitto; }
need_postgresql() {
    command -v initdb >/dev/null || compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || apt_install postgresql
}
# Without its service: the tests start nodes of their own. Fails where the system has no such packages.
need_rabbitmq() {
    [ -x /usr/lib/rabbitmq/bin/rabbitmq-server ] && return
    command -v apt-cache >/dev/null && apt-cache show rabbitmq-server >/dev/null 2>&1 || return 1
    apt_install_idle rabbitmq-server
}

# Databases with a standby that is promoted; likewise.
need_patroni() {
    command -v patroni >/dev/null && command -v etcd >/dev/null && return
    command -v apt-cache >/dev/null && apt-cache show patroni etcd-server >/dev/null 2>&1 || return 1
    apt_install_idle patroni etcd-server
}

# Prints the first Python 3.11 to 3.13 that can make an environment.
find_python() {
    local name
    for name in python3 python3.13 python3.12 python3.11; do
        "$name" -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
            >/dev/null 2>&1 && { command -v "$name"; return; }
    done
    return 1
}

# make_environment EXTRA [FOLDER]: .venv, or another folder, with leukoscope and one of its extras or groups, anew when
# pyproject.toml changed.
make_environment() {
    local wanted=$1 folder=${2:-.venv} python stamp
    stamp="$folder/.made-for-$wanted-$(sha256sum pyproject.toml | cut -c1-16)"
    [ -e "$stamp" ] && return
    python=$(find_python) || {
        apt_install python3 python3-venv
        python=$(find_python) || fail "expected Python 3.11, 3.12 or 3.13, found $(python3 --version 2>&1): install one"
    }
    say "Installing into $folder with $("$python" --version) (a few minutes the first time)"
    [ -x "$folder/bin/python" ] || "$python" -m venv "$folder"
    "$folder/bin/python" -m pip install --quiet --disable-pip-version-check --upgrade "pip>=25.1"
    if [ "$wanted" = test ]; then
        "$folder/bin/python" -m pip install --quiet --disable-pip-version-check --editable . --group test
    else
        "$folder/bin/python" -m pip install --quiet --disable-pip-version-check --editable ".[$wanted]"
    fi
    touch "$stamp"
}

# make_training_environment: .venv-train with torch and both converters, which want other versions than the device has.
make_training_environment() {
    local python stamp
    stamp=".venv-train/.made-for-$(sha256sum models/recipes/requirements.txt | cut -c1-16)"
    [ -e "$stamp" ] && return
    python=$(find_python) || fail "expected Python 3.11, 3.12 or 3.13: install one"
    say "Installing into .venv-train (2 GB, a few minutes)"
    [ -x .venv-train/bin/python ] || "$python" -m venv .venv-train
    .venv-train/bin/python -m pip install --quiet --disable-pip-version-check --upgrade "pip>=25.1"
    # The converter asks for some torch or other: the one that was tried must be there first.
    .venv-train/bin/python -m pip install --quiet --disable-pip-version-check "$(grep ^torch== models/recipes/requirements.txt)"
    .venv-train/bin/python -m pip install --quiet --disable-pip-version-check --requirement models/recipes/requirements.txt
    touch "$stamp"
}
