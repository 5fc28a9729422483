#!/usr/bin/env bash
# scripts/test.sh ends with its count and with ctest's exit code, whatever the tests did: the script
# itself in a copy of the project whose tools do nothing and whose ctest says what it is to.
set -euo pipefail

source_dir=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)
place=$(cd -- "$(mktemp -d)" && pwd -P)
trap 'rm -rf -- "$place"' EXIT
project=$place/project
mkdir -p "$project/scripts" "$project/build/release" "$place/bin"
cp "$source_dir"/scripts/{test,stages}.sh "$project/scripts"
printf '#!/bin/sh\n' | tee "$project/scripts/setup.sh" >"$place/bin/cmake"
# shellcheck disable=SC2016  # for the program's shell
printf '#!/bin/sh\n%s\n%s\n%s\n' 'while [ "$1" != --output-junit ]; do shift; done' \
  'echo "<testsuite tests=\"7\" failures=\"$FAILURES\" disabled=\"1\" skipped=\"2\">" >"$2"' \
  'exit "$ENDS"' >"$place/bin/ctest"
chmod +x "$project/scripts/setup.sh" "$place"/bin/*

# ends STATUS FAILURES LINE   Of a ctest with so many failures that ends so: the script's last line.
ends() {
  local said status=0
  said=$(ENDS=$1 FAILURES=$2 PATH=$place/bin:$PATH "$project/scripts/test.sh") || status=$?
  [[ $status == "$1" && ${said##*$'\n'} == "$3" ]] || {
    printf 'test.sh ended with %s, not %s and "%s":\n%s\n' "$status" "$1" "$3" "$said"
    exit 1
  }
}
ends 0 0 "4 passed, 0 failed, 3 skipped"
ends 8 3 "1 passed, 3 failed, 3 skipped"
