#!/usr/bin/env bash
# scripts/check.sh fails where it could not look at what it was asked to: in a project of two
# sources, with a PATH that has no tool of scripts/setup.sh --checks but those put there.
set -euo pipefail

source_dir=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)
place=$(cd -- "$(mktemp -d)" && pwd -P)
trap 'rm -rf -- "$place"' EXIT
mkdir -p "$place/bin" "$place/project/scripts" "$place/project/models"
for tool in awk bash cat chmod cp dirname env git grep ls mkdir nproc rm sed sort tail touch tr wc xargs; do
  ln -s "$(command -v "$tool")" "$place/bin/$tool"
done
machines_grep=$(command -v grep)
export PATH=$place/bin HOME=$place GIT_CONFIG_NOSYSTEM=1

cp "$source_dir"/scripts/{check,stages}.sh "$place/project/scripts"
cd "$place/project"
git init -q -b main .
git config user.name Test
git config user.email test@example.org
printf 'build/\n' >.gitignore
for source in first second; do
  printf 'int %s;\n' "$source" >"models/$source.cpp"
  git add .
  git commit -q -m "$source"
done

put_tool() {
  rm -f "$place/bin/$1"  # perhaps a link to the machine's own
  printf '#!%s\n%s\n' "$(command -v bash)" "$2" >"$place/bin/$1"
  chmod +x "$place/bin/$1"
}
put_database() {
  mkdir -p build/release
  printf '%s\n' "$PWD"/models/*.cpp >build/release/compile_commands.json
}
put_database

# ends STATUS TEXT ARGUMENT…   check.sh ends so and says so.
ends() {
  local wanted=$1 text=$2 said status=0
  shift 2
  said=$(scripts/check.sh "$@" 2>&1) || status=$?
  [[ $status == "$wanted" && $said == *"$text"* ]] || {
    printf 'check.sh %s ended with %s, not %s and "%s":\n%s\n' "$*" "$status" "$wanted" "$text" "$said"
    exit 1
  }
}

ends 1 "clang-format 14 is not here" format
ends 1 "clang-format 14 is not here" --fix format
ends 1 "clang-tidy 14 is not here" tidy
ends 1 "shellcheck is not here" shell
ends 1 "failed: format tidy" format tidy

put_tool clang-tidy-14 ":"
ends 0 "1 files changed since" tidy
ends 0 "2 files" --all tidy
ends 1 "--base nosuchcommit: no commit of this clone" --base nosuchcommit tidy
ends 0 "0 files changed since" --base HEAD tidy
new=third.cpp
printf 'int third;\n' >"models/$new"
ends 1 "lacks models/$new; build first" --base HEAD tidy
put_database
ends 0 "1 files changed since" --base HEAD tidy
rm "models/$new"
put_tool clang-tidy-14 'echo remark; exit 1'
ends 1 "clang-tidy's remarks are above" tidy
put_tool clang-tidy-14 ":"

touch scripts/{rooms,setup}.sh  # which the two scripts name
printf 'See %s.\n' "models/$source.cpp" >page.md
ends 0 " names" paths
printf 'See %s.\n' "models/$new" >page.md
ends 1 "page.md names models/$new, which is not there" paths
rm page.md
for broken in "2 grep ended with 2" "1 no name to look at"; do
  put_tool grep "[[ \$1 != *P* ]] || exit ${broken%% *}; exec $machines_grep \"\$@\""
  ends 1 "${broken#* }" paths
done
put_tool grep "exec $machines_grep \"\$@\""
rm scripts/{rooms,setup}.sh

# A clone that does not reach back to what it should be compared with.
git clone -q --depth 1 "file://$place/project" "$place/shallow"
cd "$place/shallow"
put_database
ends 0 "2 files" tidy
git checkout -q --detach
git branch -q -D main
git update-ref -d refs/remotes/origin/main
ends 0 "2 files" tidy
