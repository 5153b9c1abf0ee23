#!/bin/sh
# Compiles the bundles written in C: build.sh OUTDIR makes OUTDIR/NAME.so of each NAME.c beside this script.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
include=$here/../../../Sources/CSWSGI/include
out=${1:?usage: build.sh OUTDIR}

mkdir -p "$out"
for source in "$here"/*.c; do
    # An undefined function is the point of one of them, so undefined symbols are allowed here.
    ${CC:-cc} -shared -fPIC -O1 -Wall -Wextra -Werror -I "$include" -o "$out/$(basename "$source" .c).so" "$source"
done
