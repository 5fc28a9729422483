// From a flat configuration to a RunConfig: types, ranges, and the rules between keys.
#include <algorithm>
#include <map>

#include "trainer/config_keys.h"
#include "trainer/config_yaml.h"
#include "trainer/escaped.h"
#include "trainer/nearest.h"
#include "trainer/number.h"
#include "trainer/shell_word.h"
#include "trainer/sweep_keys.h"
#include "trainer/yaml_tree.h"

namespace scalelaw {
namespace {

constexpr const char* kEmptyMap = "{}";

std::string message_at(const SourcedText& where, std::string_view key, std::string_view rule) {
  std::string message;
  if (where.line > 0) message = "line " + std::to_string(where.line) + " of ";
  if (!where.file.empty()) message += escaped(where.file) + ": ";
  if (where.written_as != nullptr) key = where.written_as;
  message += excerpt(key) + (where.text.starts_with('=') ? " " : " = ") + excerpt(where.text);
  if (!where.expression.empty()) message += " (" + excerpt(where.expression) + ")";
  return message + ": " + escaped(rule);
}

const KeyAccess* find_key(const std::string& name) {
  const auto& table = key_table();
  const auto found = std::find_if(table.begin(), table.end(),
                                  [&](const KeyAccess& access) { return access.key.name == name; });
  return found == table.end() ? nullptr : &*found;
}

std::string hint(const std::string& name) {
  return name.empty() ? "" : "; did you mean " + name + "?";
}

// The keys of the table under `group` + ".", for a message; "" when there are none.
std::string keys_under(const std::string& group) {
  std::string names;
  for (const ConfigKey& key : config_keys()) {
    if (key.name.starts_with(group + ".")) names += (names.empty() ? "" : ", ") + key.name;
  }
  return names;
}

[[noreturn]] void throw_unknown(const SourcedText& value, const std::string& key) {
  if (const std::string names = keys_under(key); !names.empty()) {
    throw_config_error(value, key, "is a group, not a key; it holds " + names);
  }
  const std::string near = did_you_mean(key);
  throw_config_error(value, key,
                     "unknown key" + (near.empty() ? "; `scalelaw explain` lists all" : near));
}

std::string last_part(const std::string& key) {
  return key.substr(key.rfind('.') + 1);
}

// What others call a key's last part; "" for a word that is none of these.
std::string our_name_of(const std::string& word) {
  static const std::map<std::string, std::string> names = {
      {"lr", "learning_rate"},        {"wd", "weight_decay"},     {"bs", "batch_tokens"},
      {"batch_size", "batch_tokens"}, {"eps", "epsilon"},         {"grad_clip", "clip_norm"},
      {"n_embd", "d_model"},          {"hidden_size", "d_model"}, {"width", "d_model"},
      {"layers", "n_layer"},          {"depth", "n_layer"},       {"heads", "n_head"},
      {"seq_len", "n_ctx"},           {"block_size", "n_ctx"},    {"context", "n_ctx"},
      {"dtype", "precision"}};
  const auto found = names.find(word);
  return found == names.end() ? "" : found->second;
}

void set_test_tokens(RunConfig& config, const std::string& key, const SourcedText& value) {
  const std::string name = key.substr(std::string_view(kTestPrefix).size());
  const auto tokens = parse_whole(value.text);
  if (name.empty()) throw_config_error(value, key, "the name of the test set is missing");
  if (const std::string limit = whole_limit_exceeded(value.text); !limit.empty()) {
    throw_config_error(value, key, limit);
  }
  if (!tokens || *tokens < 1) {
    throw_config_error(value, key, std::string("must be ") + kWholeNumber + " >= 1 (tokens)");
  }
  config.data.test[name] = *tokens;
}

void set_key(RunConfig& config, const FlatConfig& flat, const std::string& key,
             const SourcedText& value) {
  if (value.text.starts_with('=')) {
    throw_config_error(value, key,
                       "a value that begins with '=' is an expression, which sweeps alone "
                       "evaluate; write the number itself, or `scalelaw sweep run` the file");
  }
  if (key.starts_with(kTestPrefix)) return set_test_tokens(config, key, value);
  const KeyAccess* access = find_key(key);
  if (access == nullptr) {
    if (value.text != kEmptyMap || keys_under(key).empty()) throw_unknown(value, key);
    const auto member = flat.lower_bound(key + ".");
    if (member != flat.end() && member->first.starts_with(key + ".")) {
      throw_config_error(value, key, "is empty here, but " + member->first + " is set as well");
    }
    return;
  }
  if (access->set(config, value.text)) return;
  const ConfigKey& known = access->key;
  if (const std::string limit = access->limit_exceeded(value.text); !limit.empty()) {
    throw_config_error(value, key, limit);
  }
  throw_config_error(value, key,
                     "must be " + known.type + (known.rule.empty() ? "" : " ") + known.rule +
                         hint(nearest(value.text, known.choices)));
}

// Rules that bind several keys, each reported at a key that the user wrote where there is one.
class CrossRules {
 public:
  CrossRules(const FlatConfig& flat, const RunConfig& config) : flat_(flat), config_(config) {}

  void check_model() const {
    for (const ShapeProblem& problem : validate(config_.model)) {
      fail(problem.key, problem.rule,
           {"model.arch", "model.d_model", "model.d_ff_ratio", "model.n_head"});
    }
  }
  void check() const {
    const int64_t n_ctx = config_.model.n_ctx;
    const int64_t batch = config_.train.batch_tokens, micro = config_.how.micro_batch_tokens;
    check_model();
    require(batch % n_ctx == 0, "train.batch_tokens", "must be a multiple of ", "model.n_ctx");
    require(config_.horizon.tokens >= batch, "horizon.tokens", "must be at least ",
            "train.batch_tokens");
    if (micro > 0) {
      require(batch % micro == 0, "how.micro_batch_tokens", "must divide ", "train.batch_tokens");
      require(micro % n_ctx == 0, "how.micro_batch_tokens", "must be a multiple of ",
              "model.n_ctx");
    }
    require(config_.evaluate.points_per_decade == 0 || config_.evaluate.tokens >= n_ctx,
            "evaluate.tokens", "must be at least ", "model.n_ctx");
    require(config_.evaluate.noise_scale_every == 0 || batch >= 2 * n_ctx,
            "evaluate.noise_scale_every",
            "compares the gradient of a batch with that of a part of it, and a batch of one window "
            "has none; set it to 0, or train.batch_tokens to twice ",
            "model.n_ctx");
    for (const auto& [name, tokens] : test_tokens(config_)) {
      require(tokens >= n_ctx, kTestPrefix + name, "must be at least ", "model.n_ctx");
    }
  }

 private:
  std::string value_of(const std::string& key) const {
    if (const KeyAccess* access = find_key(key)) return access->get(config_);
    const auto tests = test_tokens(config_);
    const auto test = tests.find(key.substr(std::string_view(kTestPrefix).size()));
    return test == tests.end() ? "" : std::to_string(test->second);
  }
  void require(bool holds, const std::string& key, const std::string& rule,
               const std::string& other) const {
    if (!holds) fail(key, rule + other + " = " + value_of(other), {other});
  }
  [[noreturn]] void fail(const std::string& key, const std::string& rule,
                         const std::vector<std::string>& related) const {
    if (const auto written = flat_.find(key); written != flat_.end()) {
      throw_config_error(written->second, key, rule);
    }
    SourcedText where{value_of(key) + " (default)", "", 0};
    for (const std::string& other : related) {
      const auto written = flat_.find(other);
      if (written == flat_.end()) continue;
      where.file = written->second.file;
      where.line = written->second.line;
      break;
    }
    throw_config_error(where, key, rule);
  }

  const FlatConfig& flat_;
  const RunConfig& config_;
};

}  // namespace

RunConfig resolve(const FlatConfig& flat) {
  RunConfig config;
  // First, because the meaning of every other key depends on it.
  if (const auto spec = flat.find("spec"); spec != flat.end()) {
    set_key(config, flat, spec->first, spec->second);
  }
  for (const auto& [key, value] : flat) set_key(config, flat, key, value);
  CrossRules(flat, config).check();
  return config;
}

namespace {

RunConfig with_model(const FlatConfig& flat) {
  RunConfig config;
  for (auto it = flat.lower_bound("model."); it != flat.end() && it->first.starts_with("model.");
       ++it) {
    set_key(config, flat, it->first, it->second);
  }
  return config;
}

}  // namespace

ModelShape read_model(const FlatConfig& flat) {
  return with_model(flat).model;
}

ModelShape resolve_model(const FlatConfig& flat) {
  const RunConfig config = with_model(flat);
  CrossRules(flat, config).check_model();
  return config.model;
}

namespace {

void refuse_sweep_file(const std::string& yaml, const std::filesystem::path& file) {
  const std::vector<std::string> known = sweep_file_keys();
  for (const auto& [key, value] : parse_yaml_tree(yaml, file.string()).map) {
    if (std::find(known.begin(), known.end(), key) == known.end()) continue;
    throw_at_line(file.string(), value.line, key,
                  "only a sweep file has it; a sweep is run by `scalelaw sweep run " +
                      shell_word(file.string()) + "`");
  }
}

}  // namespace

FlatConfig read_run_file(const std::filesystem::path& file,
                         const std::vector<std::string>& settings) {
  const std::string yaml = read_yaml_text(file);
  refuse_sweep_file(yaml, file);
  FlatConfig flat = parse_flat_config(yaml, file.string());
  // Without it a later program could not know which defaults were meant.
  if (flat.count("spec") == 0) {
    throw ConfigError(file.string() + ": spec is missing; a run's file begins with `spec: 1`");
  }
  std::map<std::string, std::string> first;  // setting of each key
  for (const std::string& setting : settings) {
    const auto [before, added] = first.emplace(setting.substr(0, setting.find('=')), setting);
    if (!added) {
      throw ConfigError("--set " + setting + ": is set twice, first by --set " + before->second +
                        "; remove one");
    }
    apply_setting(flat, setting);
  }
  return flat;
}

RunConfig read_run_config(const std::filesystem::path& file,
                          const std::vector<std::string>& settings) {
  return resolve(read_run_file(file, settings));
}

std::vector<UnreadKey> unread_keys(const FlatConfig& written, const RunConfig& config) {
  std::vector<UnreadKey> keys;
  for (const auto& [field, why] : unread_fields(config.model)) {
    const std::string key = "model." + field;
    const bool noted = std::any_of(keys.begin(), keys.end(),
                                   [&](const UnreadKey& other) { return other.key == key; });
    const auto found = written.find(key);
    if (noted || found == written.end()) continue;
    const KeyAccess* access = find_key(key);
    keys.push_back({key, found->second, why, access->get(config) == access->key.default_text});
  }
  return keys;
}

std::string describe(const UnreadKey& unread) {
  return message_at(unread.value, unread.key, "has no effect: " + unread.why);
}

std::string at_its_line(const SourcedText& where, std::string_view key, std::string_view rule) {
  return message_at(where, key, rule);
}

void throw_config_error(const SourcedText& where, std::string_view key, std::string_view rule) {
  throw ConfigError(message_at(where, key, rule));
}

void throw_at_its_place(const KeyError& error, const FlatConfig& written) {
  if (const auto found = written.find(error.key()); found != written.end()) {
    throw_config_error(found->second, error.key(), error.rule());
  }
  SourcedText where{error.value() + " (default)", "", 0};
  for (const auto& [key, value] : written) {
    if (value.line > 0) where.file = value.file;
  }
  throw_config_error(where, error.key(), error.rule());
}

std::string did_you_mean(const std::string& key) {
  std::vector<std::string> names, last_parts;
  for (const ConfigKey& known : config_keys()) {
    names.push_back(known.name);
    last_parts.push_back(last_part(known.name));
    if (last_part(known.name) == our_name_of(last_part(key))) return hint(known.name);
  }
  if (const std::string near = nearest(key, names); !near.empty()) return hint(near);
  // In the wrong section, or in none; "kind" and "tokens" are in several.
  constexpr std::size_t kMostWrong = 2;  // of both at once
  const std::string near = nearest(last_part(key), last_parts, kMostWrong);
  const std::string section = key.substr(0, key.find('.'));
  if (const std::string own = keys_under(section); near.empty() && !own.empty()) {
    return "; " + section + " holds " + own;
  }
  std::string all;
  for (const std::string& name : names) {
    if (!near.empty() && last_part(name) == near) all += (all.empty() ? "" : " or ") + name;
  }
  return hint(all);
}

}  // namespace scalelaw
