// Each struct's fields are listed once, in visit(); writing and reading both walk that list.
// A number that is not finite is null in JSON and NaN when read back.
#include "trainer/run_record_json.h"

#include <limits>
#include <stdexcept>
#include <utility>

#include "trainer/enum_text.h"

namespace scalelaw {
namespace {

template <typename Struct, typename Visitor>
requires std::is_same_v<std::remove_const_t<Struct>, MetricsRow>
void visit(Struct& s, Visitor& field) {
  field("step", s.step);
  field("train_tokens", s.train_tokens);
  field("train_loss_nats", s.train_loss_nats);
  field("learning_rate", s.learning_rate);
  field("grad_norm", s.grad_norm);
  field("wall_seconds", s.wall_seconds);
  field("tokens_per_second", s.tokens_per_second);
  field("test_loss_nats", s.test_loss_nats);
}

template <typename Struct, typename Visitor>
requires std::is_same_v<std::remove_const_t<Struct>, PositionBin>
void visit(Struct& s, Visitor& field) {
  field("first", s.first);
  field("last", s.last);
  field("loss_nats", s.loss_nats);
  field("standard_error_nats", s.standard_error_nats);
}

template <typename Struct, typename Visitor>
requires std::is_same_v<std::remove_const_t<Struct>, TestResult>
void visit(Struct& s, Visitor& field) {
  field("token_hash", s.token_hash);
  field("tokens", s.tokens);
  field("windows", s.windows);
  field("loss_nats", s.loss_nats);
  field("standard_error_nats", s.standard_error_nats);
  field("bits_per_byte", s.bits_per_byte);
  field("top1_accuracy", s.top1_accuracy);
  field("by_position", s.by_position);
}

template <typename Struct, typename Visitor>
requires std::is_same_v<std::remove_const_t<Struct>, RunEvent>
void visit(Struct& s, Visitor& field) {
  field("kind", s.kind);
  field("step", s.step);
  field("detail", s.detail);
}

template <typename Struct, typename Visitor>
requires std::is_same_v<std::remove_const_t<Struct>, Provenance>
void visit(Struct& s, Visitor& field) {
  field("program_version", s.program_version);
  field("git_commit", s.git_commit);
  field("git_dirty", s.git_dirty);
  field("torch_version", s.torch_version);
  field("cuda_version", s.cuda_version);
  field("device", s.device);
  field("host", s.host);
  field("started_at", s.started_at);
  field("instruction_set", s.instruction_set);
  field("threads", s.threads);
  field("micro_batch_tokens", s.micro_batch_tokens);
}

template <typename Struct, typename Visitor>
requires std::is_same_v<std::remove_const_t<Struct>, Attempt>
void visit(Struct& s, Visitor& field) {
  field("number", s.number);
  field("token", s.token);
  field("content_hash", s.content_hash);
  field("first_step", s.first_step);
  field("provenance", s.provenance);
}

template <typename Struct, typename Visitor>
requires std::is_same_v<std::remove_const_t<Struct>, ModelShape>
void visit(Struct& s, Visitor& field) {
  field("arch", s.arch);
  field("n_layer", s.n_layer);
  field("d_model", s.d_model);
  field("d_ff_ratio", s.d_ff_ratio);
  field("n_head", s.n_head);
  field("n_ctx", s.n_ctx);
  field("n_vocab", s.n_vocab);
  field("position", s.position);
  field("embeddings", s.embeddings);
  field("bias", s.bias);
  field("init", s.init);
  field("embedding_std", s.embedding_std);
}

template <typename Struct, typename Visitor>
requires std::is_same_v<std::remove_const_t<Struct>, ParameterCounts>
void visit(Struct& s, Visitor& field) {
  field("token_embedding", s.token_embedding);
  field("position_embedding", s.position_embedding);
  field("attention", s.attention);
  field("mlp", s.mlp);
  field("recurrent", s.recurrent);
  field("norm", s.norm);
  field("bias", s.bias);
  field("head", s.head);
}

template <typename Struct, typename Visitor>
requires std::is_same_v<std::remove_const_t<Struct>, ForwardFlops>
void visit(Struct& s, Visitor& field) {
  field("attention", s.attention);
  field("attention_scores", s.attention_scores);
  field("mlp", s.mlp);
  field("recurrent", s.recurrent);
  field("head", s.head);
}

template <typename Struct, typename Visitor>
requires std::is_same_v<std::remove_const_t<Struct>, ModelCounts>
void visit(Struct& s, Visitor& field) {
  field("parameters", s.parameters);
  field("forward_flops_per_token", s.forward_flops);
}

template <typename Struct, typename Visitor>
requires std::is_same_v<std::remove_const_t<Struct>, RunRecord>
void visit(Struct& s, Visitor& field) {
  field("version", s.version);
  field("state", s.state);
  field("content_hash", s.content_hash);
  field("recipe_hash", s.recipe_hash);
  field("shape", s.shape);
  field("counts", s.counts);
  field("steps", s.steps);
  field("train_tokens", s.train_tokens);
  field("unique_train_tokens", s.unique_train_tokens);
  field("batch_tokens", s.batch_tokens);
  field("learning_rate", s.learning_rate);
  field("seed_init", s.seed_init);
  field("seed_data", s.seed_data);
  field("train_set", s.train_set);
  field("train_hash", s.train_hash);
  field("tokenizer_hash", s.tokenizer_hash);
  field("final_train_loss_nats", s.final_train_loss_nats);
  field("test", s.test);
  field("wall_seconds", s.wall_seconds);
  field("evaluate_seconds", s.evaluate_seconds);
  field("checkpoint_seconds", s.checkpoint_seconds);
  field("pack", s.pack);
  field("pack_row", s.pack_row);
  field("events", s.events);
  field("attempts", s.attempts);
}

template <typename T>
struct Tag {};

struct Writer {
  nlohmann::ordered_json& json;

  template <typename T>
  void operator()(const char* key, const T& value) {
    json[key] = encode(value);
  }
  // Nothing measured: no key.
  void operator()(const char* key, const std::optional<double>& value) {
    if (value) json[key] = *value;
  }
  void operator()(const char* key, const std::map<std::string, double>& value) {
    if (!value.empty()) json[key] = value;
  }

  template <typename T>
  static nlohmann::ordered_json encode(const T& value) {
    if constexpr (std::is_enum_v<T>) {
      return enum_text(value);
    } else if constexpr (std::is_arithmetic_v<T> || std::is_same_v<T, std::string>) {
      return value;
    } else {
      auto out = nlohmann::ordered_json::object();
      Writer writer{out};
      visit(value, writer);
      return out;
    }
  }
  template <typename T>
  static nlohmann::ordered_json encode(const std::vector<T>& values) {
    auto out = nlohmann::ordered_json::array();
    for (const T& value : values) out.push_back(encode(value));
    return out;
  }
  template <typename T>
  static nlohmann::ordered_json encode(const std::map<std::string, T>& values) {
    auto out = nlohmann::ordered_json::object();
    for (const auto& [name, value] : values) out[name] = encode(value);
    return out;
  }
};

// What is wrong with a value, and where it stands ("test.wiki.tokens").
struct FieldFault {
  std::string path, rule;
};

std::string shown(const nlohmann::json& json) {
  const std::string text = json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  return text.size() <= 40 ? text : text.substr(0, 37) + "...";
}

struct Reader {
  const nlohmann::json& json;

  template <typename T>
  void operator()(const char* key, T& value) {
    const auto found = json.find(key);
    if (found == json.end()) throw FieldFault{key, "is missing"};
    value = decode_below(Tag<T>{}, key, *found);
  }
  void operator()(const char* key, std::optional<double>& value) {
    if (json.contains(key)) value = decode_below(Tag<double>{}, key, json[key]);
  }
  void operator()(const char* key, std::map<std::string, double>& value) {
    using Values = std::map<std::string, double>;
    if (json.contains(key)) value = decode_below(Tag<Values>{}, key, json[key]);
  }

  template <typename T>
  static T decode_below(Tag<T> tag, const std::string& key, const nlohmann::json& json) {
    try {
      return decode(tag, json);
    } catch (const FieldFault& fault) {
      throw FieldFault{key + (fault.path.empty() ? "" : ".") + fault.path, fault.rule};
    }
  }
  static void require(bool holds, const char* rule, const nlohmann::json& json) {
    if (!holds) throw FieldFault{"", std::string("must be ") + rule + ", is " + shown(json)};
  }
  template <typename T>
  static T decode(Tag<T>, const nlohmann::json& json) {
    if constexpr (std::is_enum_v<T>) {
      const auto value =
          json.is_string() ? enum_from_text<T>(json.get<std::string>()) : std::nullopt;
      require(value.has_value(), "a word that this program knows", json);
      return *value;
    } else if constexpr (std::is_same_v<T, double>) {
      require(json.is_null() || json.is_number(), "a number or null", json);
      return json.is_null() ? std::numeric_limits<double>::quiet_NaN() : json.get<double>();
    } else if constexpr (std::is_same_v<T, bool>) {
      require(json.is_boolean(), "true or false", json);
      return json.get<T>();
    } else if constexpr (std::is_same_v<T, std::string>) {
      require(json.is_string(), "text", json);
      return json.get<T>();
    } else if constexpr (std::is_integral_v<T>) {
      require(json.is_number_integer(), "a whole number", json);
      const bool fits = json.is_number_unsigned() ? std::in_range<T>(json.get<uint64_t>())
                                                  : std::in_range<T>(json.get<int64_t>());
      require(fits, "a smaller number", json);
      return json.get<T>();
    } else {
      require(json.is_object(), "an object", json);
      T value;
      Reader reader{json};
      visit(value, reader);
      return value;
    }
  }
  template <typename T>
  static std::vector<T> decode(Tag<std::vector<T>>, const nlohmann::json& json) {
    require(json.is_array(), "a list", json);
    std::vector<T> values;
    for (const auto& element : json) {
      values.push_back(decode_below(Tag<T>{}, std::to_string(values.size()), element));
    }
    return values;
  }
  template <typename T>
  static std::map<std::string, T> decode(Tag<std::map<std::string, T>>,
                                         const nlohmann::json& json) {
    require(json.is_object(), "an object", json);
    std::map<std::string, T> values;
    for (const auto& [name, element] : json.items()) {
      values[name] = decode_below(Tag<T>{}, name, element);
    }
    return values;
  }
};

template <typename T>
T decoded(const nlohmann::json& json) {
  try {
    return Reader::decode(Tag<T>{}, json);
  } catch (const FieldFault& fault) {
    throw std::runtime_error(fault.path + (fault.path.empty() ? "" : " ") + fault.rule);
  }
}

}  // namespace

void to_json(nlohmann::ordered_json& json, const MetricsRow& row) {
  json = Writer::encode(row);
}
void to_json(nlohmann::ordered_json& json, const Attempt& attempt) {
  json = Writer::encode(attempt);
}
void to_json(nlohmann::ordered_json& json, const RunRecord& record) {
  json = Writer::encode(record);
}

nlohmann::json parse_json(const std::string& text) {
  try {
    return nlohmann::json::parse(text);
  } catch (const nlohmann::json::parse_error& error) {
    if (text.find_first_not_of(" \t\r\n") == std::string::npos) throw std::runtime_error("empty");
    if (error.byte > text.size()) {
      throw std::runtime_error("cut short after " + std::to_string(text.size()) + " bytes");
    }
    throw std::runtime_error("no JSON from byte " + std::to_string(error.byte) + " on");
  }
}

void from_json(const nlohmann::json& json, MetricsRow& row) {
  row = decoded<MetricsRow>(json);
}
void from_json(const nlohmann::json& json, Attempt& attempt) {
  attempt = decoded<Attempt>(json);
}
void from_json(const nlohmann::json& json, RunRecord& record) {
  if (const auto version = json.find("version"); version != json.end()) {
    if (version->is_number_integer() && *version != kRunFolderVersion) {
      throw OtherVersion("is of version " + shown(*version) +
                         " of the run folder; this program knows version " +
                         std::to_string(kRunFolderVersion));
    }
  }
  record = decoded<RunRecord>(json);
}

}  // namespace scalelaw
