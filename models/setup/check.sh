#!/bin/sh
# Name what the set-up needs and this machine lacks, with the command that installs it.
python=$1
missing=

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || missing="$missing python3.11"
"$python" -c 'import venv, ensurepip' 2>/dev/null || missing="$missing python3-venv"
command -v c++ >/dev/null || command -v g++ >/dev/null || command -v clang++ >/dev/null || missing="$missing c++"
command -v cmake >/dev/null || missing="$missing cmake"

[ -z "$missing" ] && exit 0
echo "reframer needs these first:$missing" >&2
if [ "$(uname)" = Darwin ]; then
    echo "Run: xcode-select --install; brew install python@3.12 cmake" >&2
else
    echo "Run: sudo apt install python3 python3-venv python3-dev build-essential cmake" >&2
fi
exit 1
