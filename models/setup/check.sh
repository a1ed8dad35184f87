#!/bin/sh
# Name what the set-up needs and this machine lacks, with the command that installs it.
python=$1
old=
missing=

if ! command -v "$python" >/dev/null; then
    missing="$missing python3.11 python3-venv"
elif ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    old=yes # the system's own command would install the same one again
elif ! "$python" -c 'import venv, ensurepip' 2>/dev/null; then
    missing="$missing python3-venv"
fi
command -v c++ >/dev/null || command -v g++ >/dev/null || command -v clang++ >/dev/null || missing="$missing c++"
command -v cmake >/dev/null || missing="$missing cmake"

[ -z "$old$missing" ] && exit 0
if [ -n "$missing" ]; then
    echo "reframer needs these first:$missing" >&2
    if [ "$(uname)" = Darwin ]; then
        echo "Run: xcode-select --install; brew install python@3.12 cmake" >&2
    else
        echo "Run: sudo apt install python3 python3-venv python3-dev build-essential cmake" >&2
    fi
fi
if [ -n "$old" ]; then
    echo "$python is older than Python 3.11. Install Python 3.11 or newer, and name it:" >&2
    echo "Run: make PYTHON=python3.11 run" >&2
fi
exit 1
