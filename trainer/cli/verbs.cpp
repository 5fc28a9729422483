#include "trainer/cli/verbs.h"

#include <algorithm>

#include "trainer/config_error.h"
#include "trainer/nearest.h"

namespace scalelaw {

const std::vector<Verb>& verbs() {
  static const std::vector<Verb> table = {
      {"data", "scalelaw-data", false, "Data",
       "text and token ids into token shards: build, import, inspect, verify, list"},
      {"train", "scalelaw-train", true, "Runs",
       "train one run, or several of one shape side by side"},
      {"bench", "scalelaw-train", true, "Runs", "time the training step of a shape"},
      {"profile", "scalelaw-train", true, "Runs", "say where a training step spends its time"},
      {"sweep", "scalelaw-sweep", false, "Runs",
       "many runs from one file: plan, run, status, watch"},
      {"runs", "scalelaw-runs", false, "Runs",
       "the store: list, show, diff, export, import, verify, clean"},
      {"fit", "scalelaw-fit", true, "Laws", "fit scaling laws to runs, with intervals"},
      {"compare", "scalelaw-fit", true, "Laws", "do two arms differ in slope, or only in offset"},
      {"predict", "scalelaw-fit", true, "Laws",
       "the loss of held-out runs: written down before they start, then scored"},
      {"frontier", "scalelaw-fit", true, "Laws",
       "the best size of a budget by all of Chinchilla's approaches"},
      {"kaplan", "scalelaw-fit", true, "Laws",
       "laws of compute from training curves, by Kaplan's chain"},
      {"propose", "scalelaw-fit", true, "Laws",
       "which runs to make next, as a file that the sweep takes"},
      {"rank", "scalelaw-fit", true, "Laws", "which form of the law foretells larger runs best"},
      {"budget", "scalelaw-fit", true, "Laws",
       "plan: how large a model, how many tokens, what loss, of which machines"},
      {"figures", "scalelaw-fit", true, "Laws",
       "learning curves, laws and loss by position as figures"},
      {"report", "scalelaw-fit", true, "Laws", "tables, figures and one page"},
      {"evaluate", "scalelaw-train", true, "Models",
       "loss of a run's or a model's weights on data sets"},
      {"model", "scalelaw-model", false, "Models", "to and from Hugging Face: export, import"},
      {"doctor", "", false, "Help", "what works on this machine, what does not, what to do"},
      {"explain", "", false, "Help", "a key of the configuration: meaning, default, rule"},
      {"version", "", false, "Help", "which scalelaw this is"},
      {"help", "", false, "Help", "this list, or the help of a verb"},
  };
  return table;
}

const Verb* find_verb(std::string_view name) {
  const auto& table = verbs();
  const auto found =
      std::find_if(table.begin(), table.end(), [&](const Verb& verb) { return verb.name == name; });
  return found == table.end() ? nullptr : &*found;
}

Dispatch dispatch(const std::vector<std::string>& arguments) {
  std::vector<std::string> rest = arguments;
  if (rest.size() >= 2 && rest[0] == "help" && rest[1] != "--help") {
    rest = {rest[1], "--help"};
  }
  if (rest.empty() || rest[0] == "--help" || rest[0] == "-h") return {find_verb("help"), {}};
  if (rest[0] == "--version") rest[0] = "version";
  const Verb* verb = find_verb(rest[0]);
  if (verb == nullptr) {
    std::vector<std::string> names;
    for (const Verb& known : verbs()) names.emplace_back(known.name);
    const std::string close = nearest(rest[0], names);
    throw ConfigError(rest[0] + ": no such verb" +
                      (close.empty() ? "" : "; did you mean " + close + "?") +
                      " (scalelaw help lists them)");
  }
  if (!verb->pass_name) rest.erase(rest.begin());
  return {verb, rest};
}

std::string overview() {
  std::string text =
      "scalelaw: trains sweeps of language models and fits their scaling laws\n\n"
      "  scalelaw VERB …          scalelaw VERB --help\n";
  std::string_view group;
  for (const Verb& verb : verbs()) {
    if (verb.group != group) text += "\n" + std::string(verb.group) + "\n";
    group = verb.group;
    text += "  " + std::string(verb.name) + std::string(10 - verb.name.size(), ' ') +
            std::string(verb.what) + "\n";
  }
  return text +
         "\nExamples\n"
         "  scalelaw sweep run configs/quickstart.yaml --runs runs\n"
         "  scalelaw report runs/sweeps/quickstart.json --out report/quickstart\n";
}

}  // namespace scalelaw
