#!/bin/sh
# Builds the patient's page: web/patient/ becomes build/web/dist. The packages of its lock file are
# installed only when that is another one than last time, the page is built only when anything has
# changed since. One build at a time, because the presets' build folders share both.
set -eu

cd "$(dirname "$0")/../web/patient"
out=../../build/web
mkdir -p $out
exec 9>$out/lock
flock 9

if ! cmp -s package-lock.json $out/installed-lock.json || [ ! -d node_modules ]; then
  rm -f $out/installed-lock.json
  # No package's own scripts are run: none of ours needs them.
  npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >&2
  cp package-lock.json $out/installed-lock.json
fi

newest=$(find index.html package.json package-lock.json tsconfig.json vite.config.ts src public \
  -newer $out/built.stamp 2>/dev/null || echo all)
if [ -n "$newest" ] || [ ! -f $out/dist/index.html ]; then
  touch $out/begun.stamp
  node_modules/.bin/vite build --logLevel warn
  mv $out/begun.stamp $out/built.stamp
fi
