# Sourced by the other scripts: where things are, and how a script speaks. Bash 3.2 and later.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
readonly root

say() { printf '%s\n' "$*" >&2; }
fail() {
    say "error: $1"
    shift
    local line
    for line in "$@"; do say "  $line"; done
    exit 1
}

# What a user reads at the top of the file is the help: the comment block below the `#!` line.
usage() { awk 'NR > 1 && !/^#/ { exit } NR > 1 { sub(/^# ?/, ""); print }' "$0"; }

is_darwin() { [ "$(uname -s)" = Darwin ]; }

# echoel's data folder: the runtime, instruments that were downloaded.
data_folder() {
    if [ -n "${ECHOEL_HOME:-}" ]; then
        printf '%s\n' "$ECHOEL_HOME"
    elif is_darwin; then
        printf '%s\n' "$HOME/Library/Application Support/echoel"
    else
        printf '%s\n' "${XDG_DATA_HOME:-$HOME/.local/share}/echoel"
    fi
}

sha256() { if command -v sha256sum >/dev/null; then sha256sum; else shasum -a 256; fi | cut -d ' ' -f 1; }

# SwiftPM plans anew when a manifest is newer, but does not see that a folder of the library gained a file.
plan_anew() { # package
    if [ -n "$(find "$root/Sources" -type d -newer "$root/$1/Package.swift" | head -n 1)" ]; then
        touch "$root/$1/Package.swift"
    fi
}

# What swift build says is of interest only when it takes long or fails: it goes to stderr.
build_tool() { # configuration
    # A stamp from before the build, so that a source saved while it runs counts as newer.
    local stamp="$root/Tool/.build/echoel-$1.stamp" static=
    # On Linux the program carries Swift's libraries, so that it outlives the toolchain that built it.
    if ! is_darwin && [ "$1" = release ]; then static=--static-swift-stdlib; fi
    mkdir -p "$root/Tool/.build"
    touch "$stamp.new"
    plan_anew Tool
    # shellcheck disable=SC2086  # one word or none
    swift build --package-path "$root/Tool" -c "$1" --product echoel $static >&2 || return 1
    mv -f "$stamp.new" "$stamp"
}

# libechoel, the library with a C interface; its symbols and debug information are still in it.
build_plugin() { # configuration
    plan_anew Libechoel
    # SwiftPM does not see that the list of symbols has changed.
    if [ "$root/Libechoel/libechoel.map" -nt "$(plugin_library "$1")" ]; then rm -f "$(plugin_library "$1")"; fi
    swift build --package-path "$root/Libechoel" -c "$1" --product echoel >&2
}

plugin_library() { # configuration
    printf '%s/libechoel.%s\n' "$root/Libechoel/.build/$1" "$(if is_darwin; then echo dylib; else echo so; fi)"
}

tool_binary() { printf '%s\n' "$root/Tool/.build/$1/echoel"; }

# Is there a source (or a folder that lost one) that the built tool has not seen?
tool_is_stale() { # configuration
    local stamp="$root/Tool/.build/echoel-$1.stamp"
    [ -x "$(tool_binary "$1")" ] && [ -f "$stamp" ] || return 0
    [ -n "$(find "$root/Package.swift" "$root/Sources" "$root/Tool/Package.swift" "$root/Tool/Sources" \
        -newer "$stamp" -print 2>/dev/null | head -n 1)" ]
}
