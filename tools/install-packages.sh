#!/bin/sh
# Usage: install-packages.sh SECTION...
# Installs what is missing of the named sections of packages.txt. If nothing is, it asks dpkg once,
# says nothing and touches nothing. Needs root or sudo only when there is something to install.
# On another system install the packages' counterparts and set TRIALWARD_PACKAGES=installed.
set -eu

[ "${TRIALWARD_PACKAGES:-}" != installed ] || exit 0

list=$(dirname "$0")/packages.txt
wanted=$(awk -v sections=" $* " '
  { sub(/#.*/, "") }
  /^\[/ { name = $1; gsub(/[][]/, "", name); inside = index(sections, " " name " "); next }
  inside && NF { print $1 }' "$list")

system=$(. /etc/os-release 2>/dev/null && echo "${ID:-unknown} ${VERSION_ID:-}" || echo unknown)
if [ "$system" != "debian 12" ]; then
  {
    echo "trialward installs its packages on Debian 12; this system is: $system"
    echo "Install the counterparts of these yourself, then set TRIALWARD_PACKAGES=installed:"
    echo "$wanted" | sed 's/^/  /'
  } >&2
  exit 1
fi

# dpkg-query fails when it does not know one of the names: that one is missing, no more.
# shellcheck disable=SC2086
present=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' $wanted 2>/dev/null || true)
missing=
for package in $wanted; do
  case "
$present
" in
    *"
installed $package
"*) ;;
    *) missing="$missing $package" ;;
  esac
done
[ -n "$missing" ] || exit 0

# Another package may stand for one: Node from elsewhere than Debian brings npm with it.
provided=$(dpkg-query -W -f '${db:Status-Status} ${Provides}\n' | sed -n 's/^installed //p' |
  tr ',' '\n' | sed 's/(.*//; s/ //g')
needed=
for package in $missing; do
  case "
$provided
" in
    *"
$package
"*) ;;
    *) needed="$needed $package" ;;
  esac
done
missing=$needed
[ -n "$missing" ] || exit 0

as_root=
if [ "$(id -u)" != 0 ]; then
  as_root=sudo
  if ! command -v sudo >/dev/null; then
    echo "These packages are missing, and there is no sudo. Run as root:" >&2
    echo "  apt-get install --no-install-recommends$missing" >&2
    exit 1
  fi
fi
echo "Installing Debian packages:$missing"
$as_root apt-get -q -o DPkg::Lock::Timeout=120 update
# Debian makes and starts a PostgreSQL cluster with the package, unless it is told not to; the tests
# want the programs alone.
no_cluster=
case "$missing " in
  *" postgresql-"*) no_cluster=/etc/postgresql-common/createcluster.d/trialward.conf ;;
esac
if [ -n "$no_cluster" ]; then
  $as_root mkdir -p "$(dirname $no_cluster)"
  echo "create_main_cluster = false" | $as_root tee $no_cluster >/dev/null
  trap '$as_root rm -f $no_cluster' EXIT
fi
# shellcheck disable=SC2086
$as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=120 \
  install --no-install-recommends $missing
