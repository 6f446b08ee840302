#!/bin/sh
# Usage: fuzz.sh BUILD_DIR SECONDS
# Runs each fuzz target for so long. Inputs that reached something new are kept below BUILD_DIR;
# tests/fuzz/corpus/TARGET, where there is one, gives the first ones. The first crash ends it, and
# leaves its input in BUILD_DIR.
set -eu

corpora=$(cd "$(dirname "$0")/.." && pwd)/tests/fuzz/corpus
seconds=$2
cd "$1"
for target in ./*_fuzz; do
  name=$(basename "$target")
  mkdir -p "corpus/$name"
  set -- "corpus/$name"
  [ ! -d "$corpora/$name" ] || set -- "$@" "$corpora/$name"
  echo "$name, $seconds s"
  "$target" -max_total_time="$seconds" -print_final_stats=1 "$@"
done
