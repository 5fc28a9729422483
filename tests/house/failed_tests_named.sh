#!/usr/bin/env bash
# scripts/failed_tests.py names what failed and shows the end of what it printed, nothing of the
# others, and says which record it could not read.
set -euo pipefail

source_dir=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)
record=$(mktemp)
trap 'rm -f -- "$record"' EXIT
cat >"$record" <<'END'
<testsuite tests="2" failures="1">
  <testcase name="Sums.AddUp" time="0.1" status="run"><system-out>fine</system-out></testcase>
  <testcase name="Sums.AreSmall" time="0.2" status="fail"><failure message=""/>
    <system-out>begins
Which is: 3 &lt; 4
ends</system-out></testcase>
</testsuite>
END
said=$("$source_dir/scripts/failed_tests.py" --lines 2 "$record" /nowhere.xml)
expected="-- $record: Sums.AreSmall failed after 0.2 s
Which is: 3 < 4
ends
/nowhere.xml: "
[[ $said == "$expected"* && $said != *fine* ]] || {
  printf 'failed_tests.py printed:\n%s\n' "$said"
  exit 1
}
