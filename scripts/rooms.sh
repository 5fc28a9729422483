# shellcheck shell=bash
# Which room may include what: the table behind `scripts/check.sh includes`. Sourced, not run.
#
# The rule (CONTRIBUTING.md has the picture):
#   training -> models -> model_shape        training -> run_contract -> model_shape
#   sweeps -> config_yaml -> run_contract    analysis -> run_contract
# Nothing points at sweeps or analysis, and LibTorch is in models and training alone.

# Names of a CMake library's sources without their ending, as an alternation: run_config|number|…
# The library is the list, so a file joins a room's contract where it joins its library.
library_stems() {
  awk -v call="scalelaw_library($2" '
    index($0, call) { inside = 1 }
    inside { line = $0; sub(/#.*/, "", line); text = text " " line }
    inside && /\)/ { exit }
    END { n = split(text, word, /[ ()]+/)
          for (i = 1; i <= n; i++) if (word[i] ~ /\.cpp$/) { sub(/\.cpp$/, "", word[i]); printf "%s%s", sep, word[i]; sep = "|" } }
  ' "$1/CMakeLists.txt"
}

contract="trainer/($(library_stems trainer run_contract)|command_line|config_error|enum_text|metrics_row|run_record_fields|transient_fault|version)\.h"
config_yaml="trainer/($(library_stems trainer config_yaml)|config_yaml)\.h"
run_identity="trainer/($(library_stems trainer run_identity))\.h"
machine="trainer/($(library_stems trainer gpu_probe))\.h"
data_reading="trainer/data/($(library_stems trainer/data data_reading))\.h"
model_shape="models/(model_shape|memory_estimate|architecture_counts)\.h|models/architectures\.def"
no_torch='(torch|ATen|c10)/'

# room_rule NAME FILES MAY_INCLUDE [NEVER]   extended regular expressions over whole paths; the
# first rule whose FILES match a file decides.
room_rules() {
  room_rule "model_shape" "models/((model_shape|memory_estimate|[a-z0-9_]*_counts)\.(h|cpp)|architectures\.def)" "$model_shape" "$no_torch|yaml-cpp/"
  room_rule "models" "models/.*" "models/.*" "yaml-cpp/|filesystem|fstream|chrono"
  room_rule "run_contract" "${contract%\\.h}\.(h|cpp)" "$contract|$model_shape" "$no_torch|yaml-cpp/"
  room_rule "config_yaml" "${config_yaml%\\.h}\.(h|cpp)" "$config_yaml|$contract|$model_shape" "$no_torch"
  room_rule "run_identity" "${run_identity%\\.h}\.(h|cpp)" "$run_identity|$contract|$config_yaml|$data_reading|$model_shape" "$no_torch|yaml-cpp/"
  room_rule "machine" "${machine%\\.h}\.(h|cpp)" "$machine|$contract" "$no_torch|yaml-cpp/"
  room_rule "data_reading" "${data_reading%\\.h}\.(h|cpp)" "$data_reading|$contract|$config_yaml" "$no_torch|yaml-cpp/|sentencepiece|archive"
  room_rule "data" "trainer/data/.*" "trainer/data/.*|$contract|$config_yaml" "$no_torch|yaml-cpp/"
  room_rule "hugging_face" "trainer/hugging_face/.*" "trainer/hugging_face/.*|trainer/data/.*|$contract|$config_yaml|$run_identity|$model_shape" "$no_torch|yaml-cpp/|sentencepiece"
  room_rule "dispatcher" "trainer/cli/.*" "trainer/cli/.*|$contract|$config_yaml|$data_reading|$machine|$model_shape" "$no_torch|yaml-cpp/"
  room_rule "training" "trainer/.*" "trainer/.*|models/.*" "yaml-cpp/|sentencepiece"
  room_rule "sweeps" "sweeps/.*" "sweeps/.*|$contract|$config_yaml|$run_identity|$data_reading|$machine|$model_shape" "$no_torch|sentencepiece|yaml-cpp/"
  room_rule "analysis" "analysis/.*" "analysis/.*|$contract|$model_shape" "$no_torch|sentencepiece|yaml-cpp/"
}
