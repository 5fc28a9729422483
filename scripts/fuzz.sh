#!/usr/bin/env bash
# Gives every reader of files what may be anything, under the sanitizers, and fails on a find.
#
#   scripts/fuzz.sh [SECONDS_EACH] [TARGET…]
#   scripts/fuzz.sh 600 safetensors          ten minutes of one; default: 60 seconds of each
#
# A TARGET is a line of tests/fuzz/CMakeLists.txt. Needs clang 14 with its runtime libraries
# (scripts/setup.sh --checks). A target begins with its corpus in tests/fuzz/corpus/ and with what
# earlier runs found new ways with, which build/fuzz/corpus/ keeps. A find is left in
# build/fuzz/finds/: mend the reader, make the file small (the command is printed), and commit it
# to the target's corpus.
source "$(dirname -- "${BASH_SOURCE[0]}")/stages.sh"

seconds=60
if [[ ${1:-} == -h || ${1:-} == --help ]]; then
  print_help
  exit 0
fi
if [[ ${1:-} =~ ^[0-9]+$ ]]; then
  seconds=$1
  shift
fi
((seconds > 0)) || usage_error "SECONDS_EACH must be 1 or more"

mapfile -t known < <(sed -n 's/^scalelaw_fuzz_target(\([a-z0-9_]*\).*/\1/p' "$root/tests/fuzz/CMakeLists.txt")
targets=("$@")
((${#targets[@]} > 0)) || targets=("${known[@]}")
for target in "${targets[@]}"; do
  [[ " ${known[*]} " == *" $target "* ]] || usage_error "no target '$target'; there are: ${known[*]}"
done

build_targets() {
  cd "$root"
  cmake --build --preset fuzz -j "${SCALELAW_JOBS:-$(build_jobs)}" --target "${targets[@]/%/_fuzz}"
}
stage "Configure fuzz" configure_preset fuzz
stage "Build fuzz" build_targets

# Readers that take a path read it from memory where there is a place for that.
memory=/dev/shm
[[ -d $memory && -w $memory ]] || memory=${TMPDIR:-/tmp}
# Names in the reports of the sanitizers.
ASAN_SYMBOLIZER_PATH=$(command -v llvm-symbolizer-14 || command -v llvm-symbolizer || true)
export ASAN_SYMBOLIZER_PATH
scratch=$(mktemp -d "$memory/scalelaw_fuzz_XXXXXX")
trap 'rm -rf "$scratch"' EXIT

look_for_finds() {
  local target=$1 work=$root/build/fuzz/corpus/$1 finds=$root/build/fuzz/finds
  local log=$log_folder/fuzz_$1.log program=build/fuzz/fuzz/${1}_fuzz
  mkdir -p "$work" "$finds"
  cd "$root"
  if ! TMPDIR=$scratch "$program" "$work" "tests/fuzz/corpus/$target" -max_total_time="$seconds" \
    -timeout=20 -rss_limit_mb=2048 -artifact_prefix="$finds/$target-" -print_final_stats=1 >"$log" 2>&1; then
    cat "$log"
    local find
    find=$(sed -n 's/.*Test unit written to //p' "$log" | tail -n 1)
    fail_stage "a find: ${find#"$root"/}; smaller by: $program -minimize_crash=1 -runs=10000 FILE"
  fi
  note "$(sed -n 's/^stat::number_of_executed_units: *//p' "$log") inputs, $(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$log" | tail -n 1) places of the code"
}

failed=()
for target in "${targets[@]}"; do
  (stage "$target" look_for_finds "$target") || failed+=("$target")
done
((${#failed[@]} == 0)) || fail "finds in: ${failed[*]}"
