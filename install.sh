#!/bin/sh
# Builds git-invisigoth and installs program, manual pages and completions for this user.
# Everything is in functions and `main` is called on the last line: half a file does nothing.
set -eu

RUST_MINOR=88 # 1.88, as rust-version in Cargo.toml says
name=git-invisigoth

say() { printf '%s\n' "$*"; }
warn() { printf '%s\n' "$*" >&2; }
fail() {
    printf 'error: %s\n' "$1" >&2
    shift
    for hint in "$@"; do printf 'hint: %s\n' "$hint" >&2; done
    exit 1
}

usage() {
    cat <<'END'
Usage: ./install.sh [--demo] [--prefix DIR] [--profile PROFILE] [--no-packages] [--uninstall]

  --demo             run the demo afterwards: no key, no network
  --prefix DIR       install below DIR instead of ~/.local
  --profile PROFILE  cargo profile: release (default) or dev, which builds faster
  --no-packages      install no system packages; name what is missing instead
  --uninstall        remove exactly what an earlier call installed
END
}

# Runs a command as root, where that needs no password.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
        sudo -n "$@"
    else
        return 1
    fi
}

apt_install() {
    if [ -n "$no_packages" ] || ! command -v apt-get >/dev/null 2>&1; then return 1; fi
    say "installing $* with apt-get"
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q "$@" >&2 && return 0
    # The lists may be old or missing, as in a fresh container.
    as_root apt-get update -q >&2 && as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q "$@" >&2
}

# rust_is_new CARGO: true where it is 1.88 or newer.
rust_is_new() {
    version=$("$1" --version 2>/dev/null | cut -d ' ' -f 2) || return 1
    major=${version%%.*}
    rest=${version#*.}
    minor=${rest%%.*}
    case "$major$minor" in '' | *[!0-9]*) return 1 ;; esac
    [ "$major" -gt 1 ] || { [ "$major" -eq 1 ] && [ "$minor" -ge "$RUST_MINOR" ]; }
}

# Sets `cargo` to one that is new enough, and puts its folder first, so that it finds its own rustc.
find_cargo() {
    for cargo in "$(command -v cargo || true)" "${CARGO_HOME:-$HOME/.cargo}/bin/cargo" /usr/bin/cargo; do
        if [ -x "$cargo" ] && rust_is_new "$cargo"; then
            PATH=$(dirname "$cargo"):$PATH
            return 0
        fi
    done
    return 1
}

# The version of rustc-web that apt offers: Debian 12 keeps a newer Rust there than in rustc.
apt_rust_is_new() {
    command -v apt-cache >/dev/null 2>&1 || return 1
    offered=$(apt-cache policy rustc-web 2>/dev/null | sed -n 's/^ *Candidate: *1\.\([0-9]*\)\..*/\1/p')
    [ -n "$offered" ] && [ "$offered" -ge "$RUST_MINOR" ]
}

need_rust() {
    if find_cargo; then return 0; fi
    found=$(cargo --version 2>/dev/null || echo none)
    # Whoever has rustup wants Rust from there and from nowhere else.
    if command -v rustup >/dev/null 2>&1 || [ -x "${CARGO_HOME:-$HOME/.cargo}/bin/rustup" ]; then
        fail "Rust 1.$RUST_MINOR or newer is needed; found: $found" 'rustup update stable && rustup default stable' \
            'then ./install.sh again'
    fi
    if [ -z "$no_packages" ] && ! apt_rust_is_new; then as_root apt-get update -q >/dev/null 2>&1 || true; fi
    if apt_rust_is_new && apt_install rustc-web cargo-web && find_cargo; then return 0; fi
    if apt_rust_is_new; then
        fail "Rust 1.$RUST_MINOR or newer is needed; found: $found" \
            'sudo apt-get install rustc-web cargo-web' 'then ./install.sh again'
    fi
    fail "Rust 1.$RUST_MINOR or newer is needed; found: $found" \
        "curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh" 'then ./install.sh again'
}

need_tools() {
    missing=
    command -v git >/dev/null 2>&1 || missing=git
    # A linker and a C compiler: the TLS library has parts in C.
    if ! command -v cc >/dev/null 2>&1; then missing="${missing:+$missing }gcc libc6-dev"; fi
    [ -z "$missing" ] && return 0
    # The list is ours: words without spaces.
    # shellcheck disable=SC2086
    apt_install $missing || fail "missing: $missing" "sudo apt-get install $missing"
}

# put FILE TO MODE: installs by renaming, so that a running program keeps its file, and notes it for --uninstall.
put() {
    mkdir -p "$(dirname "$2")"
    cp "$1" "$2.new"
    chmod "$3" "$2.new"
    mv -f "$2.new" "$2"
    printf '%s\n' "$2" >>"$noted"
}

install_all() {
    say "building with $("$cargo" --version)"
    "$cargo" build --locked --profile "$profile" --bin "$name" --manifest-path "$here/Cargo.toml"
    target=$("$cargo" metadata --format-version 1 --no-deps --offline --manifest-path "$here/Cargo.toml" |
        sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p')
    case $profile in dev) built=$target/debug/$name ;; *) built=$target/$profile/$name ;; esac
    [ -x "$built" ] || fail "cargo did not build $built"

    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    trap 'exit 130' INT
    trap 'exit 143' HUP TERM
    noted=$work/manifest
    : >"$noted"
    "$built" man --install --dir "$work/man" >/dev/null
    "$built" completion bash >"$work/bash"
    "$built" completion zsh >"$work/zsh"
    "$built" completion fish >"$work/fish"

    put "$built" "$prefix/bin/$name" 755
    for page in "$work"/man/*.1; do put "$page" "$prefix/share/man/man1/${page##*/}" 644; done
    put "$work/bash" "$prefix/share/bash-completion/completions/$name" 644
    put "$work/zsh" "$prefix/share/zsh/site-functions/_$name" 644
    put "$work/fish" "$prefix/share/fish/vendor_conf.d/$name.fish" 644
    # What an older version installed and this one does not.
    if [ -f "$manifest" ]; then
        while IFS= read -r old; do
            grep -qxF -e "$old" "$noted" || rm -f -- "$old"
        done <"$manifest"
    fi
    mkdir -p "$(dirname "$manifest")"
    cp "$noted" "$manifest"
    say "installed $("$prefix/bin/$name" --version) in $prefix"
}

check_path() {
    case ":$user_path:" in
    *":$prefix/bin:"*)
        found=$(PATH=$user_path command -v "$name" || true)
        [ "$found" = "$prefix/bin/$name" ] || warn "note: $found comes first on PATH"
        ;;
    *) warn "note: $prefix/bin is not on PATH, so git does not find it yet: export PATH=\"$prefix/bin:\$PATH\"" ;;
    esac
}

uninstall() {
    if [ ! -f "$manifest" ]; then
        say "nothing to remove: there is no $manifest"
        return 0
    fi
    while IFS= read -r file; do rm -f -- "$file"; done <"$manifest"
    say "removed $(grep -c . "$manifest") files from $prefix; repositories, settings and caches stay"
    rm -f -- "$manifest"
    rmdir -- "$(dirname "$manifest")" 2>/dev/null || true
}

main() {
    user_path=$PATH
    demo=
    remove=
    no_packages=
    profile=release
    prefix=${HOME:?HOME is not set}/.local
    while [ $# -gt 0 ]; do
        case $1 in
        --demo) demo=1 ;;
        --uninstall) remove=1 ;;
        --no-packages) no_packages=1 ;;
        --prefix | --profile)
            [ $# -ge 2 ] || fail "$1 needs a value"
            if [ "$1" = --prefix ]; then prefix=$2; else profile=$2; fi
            shift
            ;;
        --prefix=*) prefix=${1#*=} ;;
        --profile=*) profile=${1#*=} ;;
        -h | --help)
            usage
            return 0
            ;;
        *) fail "unknown argument: $1" './install.sh --help' ;;
        esac
        shift
    done
    case $prefix in /*) ;; *) prefix=$PWD/$prefix ;; esac
    here=$(cd "$(dirname "$0")" && pwd)
    manifest=$prefix/share/$name/manifest

    if [ -n "$remove" ]; then
        uninstall
        return 0
    fi
    need_tools
    need_rust
    install_all
    [ -z "$demo" ] || "$prefix/bin/$name" demo
    check_path
}

main "$@"
