#!/bin/sh
# Usage: fuzz.sh BUILD_DIR SECONDS [JOBS]
# Runs each fuzz target for so long, JOBS (1) at once. Inputs that reached something new are kept
# below BUILD_DIR; tests/fuzz/corpus/TARGET, where there is one, gives the first ones. What a target
# prints is in TARGET.log. After a crash no other is begun; its input is left in BUILD_DIR.
set -eu

if [ "$1" = --one ]; then
  corpora=$2 seconds=$3 name=$4
  mkdir -p "corpus/$name"
  set -- "corpus/$name"
  [ ! -d "$corpora/$name" ] || set -- "$@" "$corpora/$name"
  if "./$name" -max_total_time="$seconds" -print_final_stats=1 "$@" >"$name.log" 2>&1; then
    echo "$name: $(sed -n 's/stat::number_of_executed_units: *//p' "$name.log") inputs, clean"
    exit 0
  fi
  tail -n 40 "$name.log"
  echo "$name: FAILED"
  exit 255  # so that xargs begins no other
fi

script=$(cd "$(dirname "$0")" && pwd)/$(basename "$0")
corpora=$(cd "$(dirname "$0")/.." && pwd)/tests/fuzz/corpus
seconds=$2 jobs=${3:-1}
cd "$1"
for target in ./*_fuzz; do basename "$target"; done |
  xargs -P "$jobs" -I{} "$script" --one "$corpora" "$seconds" {}
