#!/usr/bin/env bash
# What a change must pass beside the tests.
#
#   scripts/check.sh [--fix] [--all] [--base REF] [CHECK…]
#
#   format     clang-format 14 on every source; --fix rewrites
#   includes   which room includes what (scripts/rooms.sh)
#   linkage    no LibTorch in the small programs, no SentencePiece beside LibTorch
#   vectors    every kernel's code for x86-64-v3 and v4 holds vector arithmetic
#   paths      files that docs, comments and scripts name exist
#   shell      shellcheck
#   sizes      a nudge, never a failure: header 150 lines, source 300, test 400
#   tidy       clang-tidy on the sources changed since --base (default: the last common commit
#              with main, or the last commit when on main); --all, and where that commit is not
#              in this clone: on all of them
#
# Without a CHECK: all of them, in this order. linkage, vectors and tidy need the release build.
# The tools: scripts/setup.sh --checks. SCALELAW_BUILD_DIR names another build folder.
source "$(dirname -- "${BASH_SOURCE[0]}")/stages.sh"
cd "$root"

fix=false
every_file=false
base=
checks=()
while (($# > 0)); do
  case $1 in
    --fix) fix=true ;;
    --all) every_file=true ;;
    --base)
      (($# > 1)) || usage_error "--base needs a commit"
      base=$2
      shift
      ;;
    -h | --help)
      print_help
      exit 0
      ;;
    format | includes | linkage | vectors | paths | shell | sizes | tidy) checks+=("$1") ;;
    *) usage_error "unknown check '$1'; see scripts/check.sh --help" ;;
  esac
  shift
done
((${#checks[@]} > 0)) || checks=(format includes linkage vectors paths shell sizes tidy)
build=${SCALELAW_BUILD_DIR:-$root/build/release}

# Tracked and new files alike, so that a check runs before a commit too.
[[ ${checks[*]} == linkage || ${checks[*]} == vectors ]] || git rev-parse --git-dir >/dev/null || fail "$root is no git checkout"
project_files() {
  git ls-files --cached --others --exclude-standard -- "$@" | sort -u | while IFS= read -r file; do
    [[ ! -f $file ]] || printf '%s\n' "$file"
  done
}

# Sets `files` to what the command lists. An empty list would let a check pass that saw nothing.
list_files() {
  local listed
  listed=$("$@")
  [[ -n $listed ]] || fail_stage "no file to look at"
  mapfile -t files <<<"$listed"
}

# The tool of the version that decides, else the plain one where it is of that version.
tool_14() {
  if command -v "$1-14" >/dev/null; then
    echo "$1-14"
  elif command -v "$1" >/dev/null && "$1" --version | grep -q 'version 14\.'; then
    echo "$1"
  else
    fail_stage "$1 14 is not here (scripts/setup.sh --checks installs it)"
  fi
}

check_format() {
  local tool
  tool=$(tool_14 clang-format)
  list_files project_files '*.h' '*.cpp' '*.cu'
  if $fix; then
    "$tool" -i "${files[@]}"
  else
    "$tool" --dry-run -Werror "${files[@]}" || fail_stage "scripts/check.sh --fix format rewrites them"
  fi
  note "${#files[@]} files"
}

# Includes of the project's own headers, and of what a room must not see, against the table.
check_includes() {
  source scripts/rooms.sh
  local rule_table
  room_rule() { printf '%s\t^(%s)$\t^(%s)$\t^(%s)\n' "$1" "$2" "$3" "${4:-$^}"; }
  rule_table=$(room_rules)
  project_files 'models/*' 'trainer/*' 'sweeps/*' 'analysis/*' | grep -E '\.(h|cpp|cu|def)$' |
    xargs -r grep -HnoE '^ *# *include *[<"][^>"]+[>"]' |
    rule_table=$rule_table awk '
      BEGIN { FS = ":"; n = split(ENVIRON["rule_table"], row, "\n")
              for (i = 1; i <= n; i++) { split(row[i], c, "\t"); name[i] = c[1]; files[i] = c[2]; may[i] = c[3]; never[i] = c[4] } }
      { split($3, part, /[<>"]/); included = part[2]; own = $3 ~ /"/
        for (i = 1; i <= n; i++) if ($1 ~ files[i]) break
        own = own || included ~ /^(models|trainer|sweeps|analysis)\//
        if ((own && included !~ may[i]) || included ~ never[i]) {
          printf "%s:%s: %s may not include %s\n", $1, $2, name[i], included; bad++ } }
      END { if (bad) exit 1 }' || fail_stage "rooms depend as scripts/rooms.sh says, and in no other way"
  note "$(wc -l <<<"$rule_table") rooms"
}

linked_libraries() {
  ldd "$1" | awk '{ print $1 }'
}

check_linkage() {
  local program libraries checked=0 bad=0
  for program in "$build"/bin/scalelaw*; do
    [[ -x $program ]] || continue
    local forbidden='libtorch|libc10|libcud'
    [[ ${program##*/} == scalelaw-train ]] && forbidden='libsentencepiece|libtorch_cuda'
    libraries=$(linked_libraries "$program")
    if grep -E "^($forbidden)" <<<"$libraries"; then
      echo "${program##*/} links what is named above"
      bad=1
    fi
    checked=$((checked + 1))
  done
  ((bad == 0)) || fail_stage "LibTorch and SentencePiece share no process, and the small programs start without LibTorch"
  ((checked > 0)) || fail_stage "no program in $build/bin; build first"
  note "$checked programs"
}

# A loop that the compiler leaves scalar is slow without a word. What SCALELAW_VECTOR_CLONES built
# for two instruction sets must each work on whole vectors of floats.
check_vectors() {
  local libraries=() scalar seen
  mapfile -t libraries < <(find "$build/models" "$build/trainer" -name 'lib*.a' 2>/dev/null)
  ((${#libraries[@]} > 0)) || fail_stage "no library in $build/models; build first"
  objdump -d -C --no-show-raw-insn "${libraries[@]}" >"$build/kernels.objdump"
  read -r seen scalar < <(awk '
    /file format/ { file = $1 }
    /^[0-9a-f]+ </ { name = $0; sub(/^[0-9a-f]+ </, "", name); sub(/>:$/, "", name)
                     name = file " " name
                     if (name ~ /\[clone \.arch_x86_64_v[34]\]$/) seen[name] = 1 }
    /[ \t]v(add|sub|mul|div|max|min|fn?m(add|sub)[0-9]+)ps .*%[yz]mm/ { vector[name] = 1 }
    # These move and round numbers and calculate nothing.
    /[ \t]v(p(add|srl|sll|unpck|perm|blend)[a-z0-9]*|unpck[lh]p[sd]|shufps|perm[a-z0-9]*) .*%[yz]mm/ {
      if (name ~ /^(transpose_cpu.cpp.o: scalelaw::transpose\(|bfloat16_operands_cpu)/) vector[name] = 1 }
    END { for (name in seen) { n++; if (!(name in vector)) { bad++; print name > "/dev/stderr" } }
          print n + 0, bad + 0 }' "$build/kernels.objdump")
  rm -f "$build/kernels.objdump"
  ((scalar == 0)) || fail_stage "the kernels named above hold no vector arithmetic"
  ((seen > 0)) || [[ $(uname -m) != x86_64 ]] || fail_stage "no kernel in $build; build first"
  note "$seen kernels"
}

# FILE:MATCH for each match of the Perl expression in the files. None is no fault; a grep that could
# not look is.
matches() {
  local status=0
  grep -HoP -- "$@" /dev/null || status=$?
  ((status <= 1)) || fail_stage "grep ended with $status"
}

# Words that look like a path of this project. Names with <, *, { or $ are patterns, not paths.
check_paths() {
  local top='(models|trainer|sweeps|configs|analysis|tests|scripts|docs|\.ci)'
  local ending='(h|cpp|cu|md|sh|py|yaml|cmake|txt|def)'
  local missing=0 named file path pages
  list_files project_files '*.h' '*.cpp' '*.cu' '*.sh' '*.py' '*.cmake' '*.md' '*CMakeLists.txt' '*.yaml' ':!CHANGELOG.md'
  mapfile -t pages < <(project_files '*.md')
  named=$({
    matches "(?<![\w./<>*\$}-])$top/[\w./-]*\w\.$ending\b(?![\w<*\$/])" "${files[@]}"
    matches '(?<=\]\()(?!https?:|#|mailto:)[^)#\s]+' "${pages[@]}"
    matches "(?<=\`)(\./)?$top/[\w./-]*(?=\`)" "${pages[@]}"
  } | sort -u)
  [[ -n $named ]] || fail_stage "no name to look at"
  while IFS=: read -r file path; do
    path=${path#./}
    [[ -e $path || -e ${file%/*}/$path ]] && continue
    echo "$file names $path, which is not there"
    missing=1
  done <<<"$named"
  ((missing == 0)) || fail_stage "docs and comments name files that are"
  note "$(wc -l <<<"$named") names"
}

check_shell() {
  command -v shellcheck >/dev/null || fail_stage "shellcheck is not here (scripts/setup.sh --checks installs it)"
  list_files project_files '*.sh' '.ci/run'
  shellcheck "${files[@]}" || fail_stage "shellcheck's remarks are above"
  note "${#files[@]} scripts"
}

check_sizes() {
  local long
  long=$(project_files '*.h' '*.cpp' '*.cu' | xargs wc -l | awk '
    $2 == "total" { next }
    { limit = $2 ~ /_test\.cpp$/ ? 400 : $2 ~ /\.h$/ ? 150 : 300 }
    $1 > limit { printf "%s%s (%d)", sep, $2, $1; sep = ", " }')
  note "${long:+long: }$long"
}

# The commit that tidy's files have changed since; nothing where this clone does not reach back to it.
tidy_base() {
  if [[ -n $base ]]; then
    git rev-parse -q --verify "$base^{commit}" || fail_stage "--base $base: no commit of this clone"
    return
  fi
  local from
  from=$(git merge-base HEAD origin/main 2>/dev/null || git merge-base HEAD main 2>/dev/null || true)
  if [[ $from == "$(git rev-parse HEAD)" ]]; then
    git rev-parse -q --verify HEAD~1 || true
  else
    echo "$from"
  fi
}

check_tidy() {
  local tool from compiled=$build/compile_commands.json uncompiled=()
  local sources=('models/*.cpp' 'trainer/*.cpp' 'sweeps/*.cpp' 'analysis/*.cpp')
  tool=$(tool_14 clang-tidy)
  [[ -e $compiled ]] || fail_stage "no $compiled; build first"
  list_files project_files "${sources[@]}"
  from=$($every_file || tidy_base)
  if [[ -n $from ]]; then
    local changed
    changed=$(git diff --name-only --diff-filter=d "$from" -- "${sources[@]}" &&
      git ls-files --others --exclude-standard -- "${sources[@]}")
    mapfile -t files < <(printf '%s' "$changed" | sort -u)
  fi
  for file in "${files[@]}"; do
    grep -qF "$root/$file" "$compiled" || uncompiled+=("$file")
  done
  ((${#uncompiled[@]} == 0)) || fail_stage "$compiled lacks ${uncompiled[*]}; build first"
  if ((${#files[@]} > 0)); then
    # clang refuses options that GCC alone knows.
    mkdir -p "$build/for_clang"
    sed 's/ -fno-thread-jumps//' "$compiled" >"$build/for_clang/compile_commands.json"
    printf '%s\0' "${files[@]}" | xargs -0 -n 1 -P "${SCALELAW_JOBS:-$(nproc)}" \
      "$tool" -p "$build/for_clang" --quiet --extra-arg=-Wno-error --extra-arg=-Wno-unknown-warning-option 2>&1 |
      { grep -vE '^[0-9]+ warnings? generated\.$' || true; } ||  # they would hide the remarks
      fail_stage "clang-tidy's remarks are above"
  fi
  note "${#files[@]} files${from:+ changed since ${from:0:12}}"
}

failed=()
for check in "${checks[@]}"; do
  set +e  # in a condition errexit would be off in all that the check calls
  (set -e && stage "$check" "check_$check")
  status=$?
  set -e
  ((status == 0)) || failed+=("$check")
done
((${#failed[@]} == 0)) || fail "failed: ${failed[*]}"
