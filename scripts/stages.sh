# shellcheck shell=bash
# What the scripts share: the project's root, one line a stage with its time, and failing clearly.
# Sourced, not run.
set -euo pipefail

root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
log_folder=$root/build/logs

# The end of every failure: what went wrong, what to do; exit 1.
fail() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 1
}

# A wrong command line: exit 2.
usage_error() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 2
}

# Prints the comment block at the top of the calling script.
print_help() {
  awk 'NR == 1 { next } /^#/ { sub(/^# ?/, ""); print; next } { exit }' "$0"
}

seconds_since() {
  awk -v a="$1" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.1f", b - a }'
}

# stage NAME COMMAND…   Runs the command with its output in a log, then prints one line: name,
# seconds, and what the command wrote to file descriptor 3. On failure also the log's end, and
# the script stops.
stage() {
  local name=$1 started=$EPOCHREALTIME status=0
  shift
  mkdir -p "$log_folder" 2>/dev/null || fail "cannot write in $root (is the disk full, or the folder not yours?)"
  local log=$log_folder/${name//[^A-Za-z0-9]/_}.log said
  [[ -t 1 ]] && printf '%-18s ...\r' "$name"
  set +e  # and on again inside: in a condition it would be off there
  said=$( (set -e && "$@") 3>&1 >"$log" 2>&1)
  status=$?
  set -e
  if ((status == 0)); then
    printf '%-18s %7s s  %s\n' "$name" "$(seconds_since "$started")" "$said"
    return
  fi
  printf '%-18s %7s s  failed\n' "$name" "$(seconds_since "$started")"
  {
    tail -n 25 "$log" | sed 's/^/  | /'
    printf '%s\n' "$said"
    [[ ! -s $log ]] || printf '(whole log: %s)\n' "${log#"$root"/}"
  } >&2
  exit 1
}

# show NAME COMMAND…   As stage, for commands whose output is for the reader. Returns the command's
# status, which stops a script unless it has set +e: in a condition errexit would be off inside.
show() {
  local name=$1 started=$EPOCHREALTIME status=0 errexit=+e
  shift
  [[ $- == *e* ]] && errexit=-e
  printf '%s:\n' "$name"
  set +e
  (set -e && "$@")
  status=$?
  set "$errexit"
  printf '%-18s %7s s%s\n' "$name" "$(seconds_since "$started")" \
    "$( ((status == 0)) || echo "  failed (exit $status)")"
  return "$status"
}

# Inside a stage: the text of its line.
note() {
  printf '%s' "$*" >&3
}

# Inside a stage: the reason it fails, in plain words; the log's end is printed before it.
fail_stage() {
  printf '%s' "$*" >&3
  exit 1
}

# A driver of this machine's own; says nothing of whether it works (scalelaw doctor does).
driver_is_here() {
  [[ -e /dev/nvidia0 ]] || { command -v nvidia-smi >/dev/null && nvidia-smi -L >/dev/null 2>&1; }
}

free_megabytes() {
  df --output=avail -BM -- "$1" | tail -n 1 | tr -dc '0-9'
}

# The LibTorch folder that scripts/setup.sh chose.
torch_folder() {
  local folder
  folder=$(<"$root/.venv/torch_dir")
  [[ $folder == /* ]] || folder=$root/.venv/$folder
  printf '%s\n' "$folder"
}

# As many compilers as cores, but no more than memory has room for (1.5 GB each with LibTorch).
build_jobs() {
  awk -v cores="$(nproc)" '/^MemAvailable/ {
    jobs = int($2 / 1.5e6); print jobs < 1 ? 1 : jobs < cores ? jobs : cores }' /proc/meminfo
}

configure_preset() {
  cd "$root"
  cmake --preset "$1"
}

build_preset() {
  cd "$root"
  cmake --build --preset "$1" -j "${SCALELAW_JOBS:-$(build_jobs)}" ${2:+--target "$2"}
  note "programs in build/$1/bin"
}
