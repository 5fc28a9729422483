#include "sweeps/device/device_file.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <utility>

#include "trainer/config_yaml.h"
#include "trainer/enum_text.h"
#include "trainer/escaped.h"
#include "trainer/nearest.h"
#include "trainer/number.h"
#include "trainer/yaml_tree.h"

namespace scalelaw {
namespace {

const std::vector<std::string> kFileKeys = {"device", "kind", "date",          "commit", "clock",
                                            "step",   "note", "start_seconds", "rows"};
const std::vector<std::string> kRowKeys = {"arch",       "n_layer",      "d_model",   "n_head",
                                           "n_ctx",      "n_vocab",      "position",  "embeddings",
                                           "d_ff_ratio", "batch_tokens", "precision", "replicas",
                                           "processes",  "step_seconds"};

// One map of the file, whose keys are each read once.
class KeyReader {
 public:
  KeyReader(const std::string& file, const YamlTree& map, const std::vector<std::string>& known,
            const std::string& what)
      : file_(file), map_(map) {
    if (map.kind != YamlTree::Kind::kMap) {
      throw_at_line(file, map.line, "", what + " holds `key: value` pairs");
    }
    for (const auto& [key, value] : map.map) {
      if (std::find(known.begin(), known.end(), key) != known.end()) continue;
      const std::string near = nearest(key, known);
      fail(key, "unknown key" + (near.empty() ? "" : "; did you mean " + near + "?"));
    }
  }

  bool has(const std::string& key) const {
    return std::ranges::any_of(map_.map, [&](const YamlMember& one) { return one.key == key; });
  }
  const YamlTree& value(const std::string& key) const {
    for (const auto& [name, value] : map_.map) {
      if (name == key) return value;
    }
    throw_at_line(file_, map_.line, key, "is missing");
  }
  const std::string& text(const std::string& key) const {
    const YamlTree& found = value(key);
    if (found.kind != YamlTree::Kind::kScalar) fail(key, "takes one value");
    return found.text;
  }
  int64_t count(const std::string& key, int64_t most = int64_t{1} << 20, int64_t least = 1) const {
    const std::optional<int64_t> number = parse_whole(text(key));
    if (!number || *number < least || *number > most) {
      fail(key,
           "must be a whole number from " + std::to_string(least) + " to " + std::to_string(most));
    }
    return *number;
  }
  double at_least(const std::string& key, double least) const {
    const std::optional<double> number = parse_real(text(key));
    if (!number || *number < least)
      fail(key, "must be a number of " + canonical(least) + " or more");
    return *number;
  }
  template <typename Enum>
  Enum choice(const std::string& key) const {
    if (const auto value = enum_from_text<Enum>(text(key))) return *value;
    const auto& all = EnumTexts<Enum>::kAll;
    fail(key, "must be " + std::string(all[0]) + " or " + std::string(all[1]));
  }
  [[noreturn]] void fail(const std::string& key, const std::string& rule) const {
    const YamlTree& where = value(key);
    throw_config_error({where.shown(), file_, where.line}, key, rule);
  }

 private:
  const std::string& file_;
  const YamlTree& map_;
};

ModelShape read_shape(const KeyReader& row) {
  ModelShape shape;
  shape.arch = row.text("arch");
  shape.n_layer = row.count("n_layer", int64_t{1} << 20, 0);
  shape.d_model = row.count("d_model");
  shape.n_head = row.count("n_head");
  // Of these validate() knows the limits.
  shape.n_ctx = row.count("n_ctx", int64_t{1} << 40);
  shape.n_vocab = row.count("n_vocab", int64_t{1} << 40);
  shape.position = PositionEncoding::kLearned;  // as `scalelaw bench` trains them
  if (row.has("position")) shape.position = row.choice<PositionEncoding>("position");
  if (row.has("embeddings")) shape.embeddings = row.choice<EmbeddingTying>("embeddings");
  if (row.has("d_ff_ratio")) shape.d_ff_ratio = row.at_least("d_ff_ratio", 0);
  if (const auto problems = validate(shape); !problems.empty()) {
    const std::string key = problems.front().key;  // "model.n_head"
    row.fail(key.substr(key.find('.') + 1), problems.front().rule);
  }
  return shape;
}

MeasuredStep read_row(const std::string& file, const YamlTree& tree) {
  const KeyReader row(file, tree, kRowKeys, "a row");
  MeasuredStep step;
  step.shape = read_shape(row);
  step.batch_tokens = row.count("batch_tokens", int64_t{1} << 40);
  if (step.batch_tokens % step.shape.n_ctx != 0) {
    row.fail("batch_tokens", "must be a multiple of n_ctx = " + std::to_string(step.shape.n_ctx));
  }
  step.precision = row.choice<Precision>("precision");
  step.packing.replicas = row.count("replicas", 1 << 16);
  step.packing.processes = static_cast<int>(row.count("processes"));
  step.step_seconds = row.at_least("step_seconds", 1e-9);
  return step;
}

std::string seconds_text(double seconds) {
  std::array<char, 32> text;
  std::snprintf(text.data(), text.size(), "%.4g", seconds);
  return text.data();
}

std::string row_text(const MeasuredStep& step) {
  const ModelShape& shape = step.shape;
  const std::pair<const char*, std::string> values[] = {
      {"arch", shape.arch},
      {"n_layer", std::to_string(shape.n_layer)},
      {"d_model", std::to_string(shape.d_model)},
      {"n_head", std::to_string(shape.n_head)},
      {"n_ctx", std::to_string(shape.n_ctx)},
      {"n_vocab", std::to_string(shape.n_vocab)},
      {"position", std::string(enum_text(shape.position))},
      {"embeddings", std::string(enum_text(shape.embeddings))},
      {"d_ff_ratio", canonical(shape.d_ff_ratio)},
      {"batch_tokens", std::to_string(step.batch_tokens)},
      {"precision", std::string(enum_text(step.precision))},
      {"replicas", std::to_string(step.packing.replicas)},
      {"processes", std::to_string(step.packing.processes)},
      {"step_seconds", seconds_text(step.step_seconds)}};
  std::string text;
  for (const auto& [key, value] : values) {
    text += (text.empty() ? "" : ", ") + std::string(key) + ": " + value;
  }
  return "  - {" + text + "}\n";
}

std::string quoted(const std::string& text) {
  return nlohmann::json(escaped(text)).dump();
}

}  // namespace

DeviceFile parse_device_file(std::string_view yaml, const std::string& file_name) {
  const YamlTree root = parse_yaml_tree(yaml, file_name);
  const KeyReader keys(file_name, root, kFileKeys, "a device's file");
  DeviceFile device;
  device.file = file_name;
  device.device = keys.text("device");
  device.date = keys.text("date");
  const std::string& kind = keys.text("kind");
  if (kind != "cpu" && kind != "gpu") keys.fail("kind", "must be cpu or gpu");
  device.kind = kind == "cpu" ? DeviceKind::kCpu : DeviceKind::kGpu;
  if (keys.has("start_seconds")) device.start_seconds = keys.at_least("start_seconds", 0);
  const YamlTree& rows = keys.value("rows");
  if (rows.kind != YamlTree::Kind::kSequence || rows.sequence.empty()) {
    keys.fail("rows", "must be a list of what was measured");
  }
  for (const YamlTree& row : rows.sequence) device.rows.push_back(read_row(file_name, row));
  return device;
}

std::string to_yaml(const DeviceFile& device) {
  const bool is_cpu = device.kind == DeviceKind::kCpu;
  std::string text = "device: " + quoted(device.device) + "\nkind: " + (is_cpu ? "cpu" : "gpu") +
                     "\ndate: " + quoted(device.date) + "\n";
  if (device.start_seconds > 0) {
    text += "start_seconds: " + seconds_text(device.start_seconds) + "\n";
  }
  text += "rows:\n";
  for (const MeasuredStep& row : device.rows) text += row_text(row);
  return text;
}

DeviceFile read_device_file(const std::filesystem::path& file) {
  return parse_device_file(read_yaml_text(file), file.string());
}

}  // namespace scalelaw
