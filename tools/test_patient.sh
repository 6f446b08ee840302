#!/bin/sh
# Tests the modules of the patient's page: their types, then what they do. The page was built
# before, and its packages are installed (tools/build_patient.sh).
set -eu
cd "$(dirname "$0")/../web/patient"
node_modules/.bin/tsc --noEmit
exec node_modules/.bin/vitest run
