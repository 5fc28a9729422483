#include "analysis/measurements/column_names.h"

#include <algorithm>

#include "analysis/laws/formula_law.h"
#include "trainer/config_error.h"
#include "trainer/escaped.h"
#include "trainer/nearest.h"
#include "trainer/number.h"

namespace scalelaw {
namespace {

struct Aliases {
  const char* column;
  std::vector<const char*> names;  // plain, the surest first
};

// In the laws' order.
const std::vector<Aliases>& known_names() {
  static const std::vector<Aliases> all = {
      {"L",
       {"loss", "l", "val_loss", "valid_loss", "validation_loss", "eval_loss", "test_loss",
        "final_loss", "loss_nats", "final_val_loss", "train_loss"}},
      {"N",
       {"n", "params", "parameters", "n_params", "num_params", "n_parameters", "param_count",
        "parameter_count", "model_size", "size", "n_non_embedding", "non_embedding_params", "n_opt",
        "n_star"}},
      {"D",
       {"d", "tokens", "train_tokens", "training_tokens", "n_tokens", "num_tokens", "token_count",
        "tokens_seen", "dataset_size", "d_opt", "d_star", "t_star"}},
      {"C",
       {"c", "flops", "flop", "compute", "training_flops", "training_flop", "train_flops",
        "total_flops", "training_flops_exact_causal"}},
      {"S", {"s", "steps", "step", "train_steps", "n_steps", "num_steps", "iterations", "iters"}},
      {"batch", {"batch", "batch_tokens", "batch_size_tokens", "batch_size", "bs"}},
      {"T", {"t", "position", "context", "context_length", "token_index"}},
      {"U", {"u", "unique_tokens", "unique_train_tokens"}},
      {"lr", {"lr", "learning_rate", "max_lr", "peak_lr"}},
      {"accuracy", {"accuracy", "acc", "top1_accuracy"}},
      {"neg_ln_pass", {"neg_ln_pass"}},
  };
  return all;
}

std::vector<std::string> law_names() {
  std::vector<std::string> names = {"loss"};
  for (const std::string& name : law_columns()) names.push_back(name);
  return names;
}

std::string trimmed(const std::string& text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string::npos) return "";
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

// "val_loss" or "tokens*1e9".
ColumnSource source_of(const Measurements& table, const std::string& entry,
                       const std::string& written) {
  ColumnSource source{.named = true};
  std::string name = written;
  const std::size_t times = written.rfind('*');
  if (!find_column(table, name) && times != std::string::npos) {
    const auto factor = parse_real(trimmed(written.substr(times + 1)));
    if (!factor || *factor <= 0) {
      throw ConfigError("--map " + escaped(entry) + ": behind the * stands no number above 0");
    }
    source.times = *factor;
    name = trimmed(written.substr(0, times));
  }
  const auto found = find_column(table, name);
  if (!found) {
    throw ConfigError("--map " + escaped(entry) + ": there is no column " + escaped(name) +
                      nearest_or_all(name, table.columns));
  }
  source.column = *found;
  return source;
}

void add_map(ColumnMap& map, const Measurements& table, const std::string& entry) {
  const std::size_t equals = entry.find('=');
  if (equals == std::string::npos) {
    throw ConfigError("--map " + escaped(entry) + ": is not LAW'S=TABLE'S, as loss=val_loss");
  }
  std::string column = trimmed(entry.substr(0, equals));
  const std::vector<std::string> names = law_names();
  if (std::ranges::find(names, column) == names.end()) {
    throw ConfigError("--map " + escaped(entry) + ": no law has a column " + escaped(column) +
                      nearest_or_all(column, names));
  }
  if (column == "loss") column = "L";
  if (!map.emplace(column, source_of(table, entry, trimmed(entry.substr(equals + 1)))).second) {
    throw ConfigError("--map " + escaped(entry) + ": " + column + " is given twice");
  }
}

// The first name of the list that the table has.
void recognise(ColumnMap& map, const Measurements& table, std::size_t source,
               const Aliases& known) {
  if (map.contains(known.column)) return;
  const auto exact = std::ranges::find(table.columns, known.column);
  const auto exactly = static_cast<std::size_t>(exact - table.columns.begin());
  if (table.has(source, exactly)) {
    map[known.column] = {exactly};
    return;
  }
  for (const char* name : known.names) {
    std::vector<std::size_t> those;
    for (std::size_t at = 0; at < table.columns.size(); ++at) {
      if (table.has(source, at) && plain_name(table.columns[at]) == name) those.push_back(at);
    }
    if (those.empty()) continue;
    if (those.size() > 1) {
      throw ConfigError("both " + escaped(table.columns[those[0]]) + " and " +
                        escaped(table.columns[those[1]]) + " could be " + known.column +
                        ": say which with --map " + known.column + "=COLUMN");
    }
    map[known.column] = {those.front()};
    return;
  }
}

}  // namespace

std::string escaped_list(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + escaped(word);
  return text;
}

std::string plain_name(const std::string& name) {
  std::string plain;
  for (const char c : name) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (letter) {
      plain += static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    } else if (!plain.empty() && plain.back() != '_') {
      plain += '_';
    }
  }
  while (!plain.empty() && plain.back() == '_') plain.pop_back();
  return plain;
}

std::optional<std::size_t> find_column(const Measurements& table, const std::string& name) {
  for (std::size_t at = 0; at < table.columns.size(); ++at) {
    if (table.columns[at] == name) return at;
  }
  for (std::size_t at = 0; at < table.columns.size(); ++at) {
    if (plain_name(table.columns[at]) == name) return at;
  }
  return std::nullopt;
}

std::size_t column_named(const Measurements& table, const char* option, const std::string& name,
                         const ColumnMap& map) {
  if (const auto found = map.find(name); found != map.end()) return found->second.column;
  if (const auto found = find_column(table, name)) return *found;
  throw ConfigError(std::string(option) + " " + escaped(name) + ": there is no such column" +
                    nearest_or_all(name, table.columns));
}

ColumnMap column_map(const Measurements& table, std::size_t source,
                     const std::vector<std::string>& maps) {
  ColumnMap map;
  for (const std::string& text : maps) {
    for (std::size_t begin = 0; begin <= text.size();) {
      const std::size_t end = std::min(text.find(',', begin), text.size());
      add_map(map, table, text.substr(begin, end - begin));
      begin = end + 1;
    }
  }
  std::erase_if(map, [&](const auto& each) { return !table.has(source, each.second.column); });
  for (const Aliases& known : known_names()) recognise(map, table, source, known);
  return map;
}

}  // namespace scalelaw
