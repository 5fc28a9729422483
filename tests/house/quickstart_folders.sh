#!/usr/bin/env bash
# scripts/quickstart.sh takes its folders from where it is called, and its own from the project:
# the script itself in a copy of the project whose programs only say what they were asked.
set -euo pipefail

source_dir=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)
place=$(cd -- "$(mktemp -d)" && pwd -P)
trap 'rm -rf -- "$place"' EXIT
project=$place/project
caller="$place/the caller"
mkdir -p "$project/scripts" "$project/.venv" "$project/build/release/bin" "$place/bin" "$caller"
cp "$source_dir"/scripts/{quickstart,stages}.sh "$project/scripts"
echo torch >"$project/.venv/torch_dir"
printf '#!/bin/sh\n' | tee "$project/scripts/setup.sh" >"$place/bin/cmake"
# shellcheck disable=SC2016  # for the program's shell
printf '#!/bin/sh\nprintf "<%%s>" "$PWD" "$@"; echo\n' >"$project/build/release/bin/scalelaw"
chmod +x "$project/scripts/setup.sh" "$place/bin/cmake" "$project/build/release/bin/scalelaw"

# asks TEXT ARGUMENT…   One of the programs is asked TEXT when the script is called so.
asks() {
  local text=$1 said
  shift
  said=$(cd -- "$caller" && PATH=$place/bin:$PATH "$project/scripts/quickstart.sh" "$@")
  [[ $said == *"$text"* ]] || {
    printf 'not asked: %s\n%s\n' "$text" "$said"
    exit 1
  }
}
asks "<$project><sweep><run><configs/quickstart.yaml><--runs><runs>"
asks "<--runs><$caller/my runs>" --runs "my runs"
asks "<report><$caller/my runs/sweeps/quickstart.json><--out><$place/page>" --runs "my runs" --out ../page
asks "<--runs><$place/elsewhere>" --runs "$place/elsewhere"
