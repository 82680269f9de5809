#!/usr/bin/env bash
# The main job from end to end; run by `make demo`. $1: the ingot executable.
set -euo pipefail
ingot=$1

step() {
  printf '\n$ ingot %s\n' "$*"
  "$ingot" "$@"
}

step apply -f Images/debian-12.yaml -f Manifests/quickstart.yaml --yes
step get vm
step exec web1 -- ping -c 1 web2
step plan -f Images/debian-12.yaml -f Manifests/quickstart.yaml --detailed-exitcode
cat <<TEXT

Both guests run. Try:
  export INGOT_HOME=$INGOT_HOME
  $ingot console web1          (leave with Ctrl-])
  $ingot exec web1 -- uname -a
and when done:
  make demo-clean
TEXT
