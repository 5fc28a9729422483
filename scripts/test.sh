#!/usr/bin/env bash
# Sets up, builds and runs the tests; from a bare machine or again.
#
#   scripts/test.sh [--preset release|debug|asan|no-torch] [CTEST ARGUMENT…]
#   scripts/test.sh -R BatchStream        only the tests whose name matches
#
# Tests that start services (a browser) run where SCALELAW_TEST_SERVICES=1. The last line counts
# what ctest ran; exit 0 only when all that ran passed.
source "$(dirname -- "${BASH_SOURCE[0]}")/stages.sh"

preset=release
while (($# > 0)); do
  case $1 in
    --preset)
      (($# > 1)) || usage_error "--preset needs a name of CMakePresets.json"
      preset=$2
      shift 2
      ;;
    -h | --help)
      print_help
      exit 0
      ;;
    *) break ;;
  esac
done

setup_arguments=()
[[ $preset == no-torch ]] && setup_arguments=(--no-torch)
"$root/scripts/setup.sh" "${setup_arguments[@]}"
stage "Configure $preset" configure_preset "$preset"
stage "Build $preset" build_preset "$preset"

results=$root/build/$preset/ctest.xml
rm -f "$results"
run_tests() {
  # A test that ran out of time is run once more, so that a machine that stood still costs nothing;
  # both times are shown.
  ctest --test-dir "$root/build/$preset" --output-on-failure --no-tests=error \
    --repeat after-timeout:2 -j "${SCALELAW_JOBS:-$(nproc)}" --output-junit "$results" "$@"
}
set +e
show "Tests $preset" run_tests "$@"
status=$?
set -e

# The attributes of ctest's own record: tests, failures, disabled, skipped.
count() {
  sed -n "0,/$1=\"/s/^.*[[:space:]]$1=\"\([0-9]*\)\".*$/\1/p" "$results" | head -n 1
}
[[ -s $results ]] || fail "ctest wrote no results (exit $status)"
skipped=$(($(count skipped) + $(count disabled)))
failed=$(count failures)
printf '%s passed, %s failed, %s skipped\n' $(($(count tests) - failed - skipped)) "$failed" "$skipped"
exit "$status"
