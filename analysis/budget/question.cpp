#include "analysis/budget/question.h"

#include <algorithm>
#include <set>

#include "analysis/budget/plain_words.h"
#include "analysis/budget/question_words.h"
#include "trainer/config_error.h"
#include "trainer/escaped.h"
#include "trainer/fit_file.h"
#include "trainer/nearest.h"
#include "trainer/number.h"

namespace scalelaw {
namespace {

using Words = std::vector<QuestionWord>;

constexpr FitRange kParameterRange{1e3, 1e18}, kTokenRange{1e3, 1e20}, kFlopRange{1e6, 1e40},
    kCountRange{1, 1e8}, kSecondRange{1, 100 * kDaysInYear * 86400}, kHourRange{1e-3, 1e14},
    kLossRange{1e-3, 100};

const std::set<std::string> kParameterWords = {"parameters", "parameter", "params", "param",
                                               "weights"};
// After a number with its k, M, B: "a 7B model".
const std::set<std::string> kModelWords = {"model", "models"};
const std::set<std::string> kTokenWords = {"tokens", "token", "tok"};
const std::set<std::string> kDeviceWords = {"gpu",   "gpus",    "card",         "cards", "chip",
                                            "chips", "devices", "accelerators", "tpus"};
const std::set<std::string> kFlopWords = {"flop", "flops"};
const std::set<std::string> kInferenceWords = {"inference", "serving",   "serve",
                                               "served",    "generated", "inferred"};
const std::set<std::string> kUniqueWords = {"unique", "distinct", "repeated"};
const std::set<std::string> kLossWords = {"loss", "target", "nats", "reach", "reaching"};
// What only says what is asked for, which the numbers say already.
const std::set<std::string> kAskWords = {
    "size",     "gain",    "gains",    "epochs", "epoch",  "cost",    "compute", "time",     "data",
    "best",     "what",    "which",    "how",    "many",   "large",   "big",     "long",     "much",
    "plan",     "train",   "training", "model",  "budget", "repeat",  "repeats", "lifetime", "life",
    "cheapest", "optimal", "need",     "needs",  "expect", "expected"};
const std::set<std::string> kFillers = {
    "a",    "an",      "the",   "for",   "of",   "on",    "in",     "at",     "with", "and",
    "from", "is",      "are",   "i",     "we",   "have",  "to",     "do",     "does", "per",
    "my",   "our",     "about", "it",    "x",    "over",  "by",     "can",    "get",  "each",
    "up",   "then",    "into",  "until", "its",  "me",    "should", "nvidia", "s",    "nat",
    "take", "against", "if",    "be",    "will", "would", "all",    "takes"};

void set_once(std::optional<double>& at, double value, const FitRange& range,
              const std::string& what, const std::string& too_small = "") {
  if (at && *at != value) {
    throw ConfigError(what + " is given twice: " + human(*at) + " and " + human(value));
  }
  if (!range.holds(value)) {
    throw ConfigError(what + ", " + human(value) + ": must be from " + human(range.low) + " to " +
                      human(range.high) + (value < range.low ? too_small : ""));
  }
  at = value;
}

constexpr const char* kBillion = "; a billion is written 1 B";

void set_time(std::optional<double>& at, double seconds) {
  if (at && *at != seconds) {
    throw ConfigError("the time is given twice: " + time_in_words(*at) + " and " +
                      time_in_words(seconds));
  }
  if (!kSecondRange.holds(seconds)) {
    throw ConfigError("the time, " + canonical(seconds) +
                      " seconds: must be from a second to 100 years");
  }
  at = seconds;
}

class Understanding {
 public:
  explicit Understanding(Words words) : words_(std::move(words)) {}

  BudgetQuestion read() {
    while (at_ < words_.size()) {
      const bool taken = words_[at_].number ? take_quantity() : take_word();
      if (!taken) refuse(words_[at_]);
    }
    settle_bare();
    settle_machines();
    return std::move(question_);
  }

 private:
  const std::string& word(std::size_t i) const {
    static const std::string none;
    return i < words_.size() ? words_[i].lower : none;
  }
  bool is(std::size_t i, const std::set<std::string>& any) const { return any.count(word(i)) > 0; }

  [[noreturn]] void refuse(const QuestionWord& w) const {
    std::vector<std::string> known;
    for (const auto* set : {&kParameterWords, &kTokenWords, &kFlopWords, &kInferenceWords,
                            &kUniqueWords, &kAskWords}) {
      known.insert(known.end(), set->begin(), set->end());
    }
    for (const TrainingDevice& device : training_devices()) known.emplace_back(device.name);
    std::string near = w.lower.empty() ? "" : nearest(w.lower, known, 2);
    if (near.empty()) near = nearest(w.text, known, 2);  // devices are in capitals
    throw ConfigError(excerpt(w.text) + ": is not understood" +
                      (near.empty() ? "" : " (did you mean " + near + "?)") + "; " +
                      what_is_understood());
  }

  // A device's name from word i on, of two words too ("H100 PCIe", "TPU v4"); the index after it.
  struct NamedDevice {
    const TrainingDevice* device = nullptr;
    std::size_t end = 0;
  };
  NamedDevice device_at(std::size_t i) const {
    std::string first = word(i);
    if (first.ends_with('s')) first.pop_back();
    if (!first.empty() && !word(i + 1).empty()) {
      if (const TrainingDevice* device = training_device(first + "-" + word(i + 1))) {
        return {device, i + 2};
      }
    }
    return {training_device(word(i)), i + 1};
  }

  // "gpu-hours", "a100-hours", "gpu hours", "a100 gpu hours" from word i on: the word after it, and
  // the seconds of a unit; the device where one is named.
  struct DeviceTime {
    std::size_t end = 0;
    double seconds = 0;
    const TrainingDevice* device = nullptr;
  };
  std::optional<DeviceTime> device_time(std::size_t i) const {
    DeviceTime found;
    bool of_devices = false;
    for (; i < words_.size(); ++i) {
      const std::string& w = word(i);
      const std::size_t dash = w.rfind('-');
      const bool joined = dash != std::string::npos && seconds_in(w.substr(dash + 1)).has_value();
      const std::string head = joined ? w.substr(0, dash) : w;
      if (const NamedDevice named = device_at(i); named.device != nullptr) {
        found.device = named.device;
        i = named.end - 1;
      } else if (const TrainingDevice* device = training_device(head)) {
        found.device = device;
      } else if (kDeviceWords.count(head) == 0) {
        break;
      }
      of_devices = true;
      if (joined) return DeviceTime{i + 1, *seconds_in(w.substr(dash + 1)), found.device};
    }
    const std::optional<double> unit = seconds_in(word(i));
    if (!of_devices || !unit) return std::nullopt;
    return DeviceTime{i + 1, *unit, found.device};
  }

  void set_device(const TrainingDevice* device) {
    if (device_ != nullptr && device != device_) {
      throw ConfigError("machines of two kinds (" + std::string(device_->name) + ", " +
                        std::string(device->name) + "); a plan is of one");
    }
    device_ = device;
  }

  // A device's name from word i on, "A100 80 GB" too; the index after it.
  std::size_t take_device(std::size_t i) {
    const NamedDevice named = device_at(i);
    const TrainingDevice* device = named.device;
    if (device == nullptr) return i;
    i = named.end;
    if (i + 1 < words_.size() && words_[i].number &&
        (word(i + 1) == "gb" || word(i + 1) == "gib")) {
      if (device->memory_bytes != *words_[i].number * 1e9) device = of_memory(*device, words_[i]);
      i += 2;
    }
    if (is(i, kDeviceWords)) ++i;
    set_device(device);
    return i;
  }

  const TrainingDevice* of_memory(const TrainingDevice& device,
                                  const QuestionWord& gigabytes) const {
    const std::string family(device.name.substr(0, device.name.find('-')));
    const std::string full = family + "-" + canonical(*gigabytes.number) + "GB";
    const TrainingDevice* exact = training_device(full);
    if (exact == nullptr) {
      throw ConfigError(full + ": no device of the table; there are " + device_names());
    }
    return exact;
  }

  // "PF-days", "petaflops-days", "petaflop days" from word i on: the index after it, i where there
  // is none. Without days it is a speed.
  std::size_t petaflop_days(std::size_t i) const {
    const std::string& w = word(i);
    if (!w.starts_with("pf") && !w.starts_with("petaflop")) return i;
    if (w.find("day") != std::string::npos) return i + 1;
    return is(i + 1, {"day", "days"}) ? i + 2 : i;
  }

  bool take_quantity() {
    const QuestionWord& quantity = words_[at_];
    const double value = *quantity.number;
    std::size_t next = at_ + 1;
    if (word(next) == "x" || word(next) == "nvidia") ++next;
    if (const auto time = device_time(next)) {
      if (time->device != nullptr) set_device(time->device);
      set_once(question_.device_hours, value * time->seconds / 3600, kHourRange,
               "the device hours");
      at_ = time->end;
      return true;
    }
    if (const std::size_t end = take_device(next); end != next) {
      set_once(count_, value, kCountRange, "the number of machines");
      at_ = end;
      return true;
    }
    if (is(next, kDeviceWords)) {
      set_once(count_, value, kCountRange, "the number of machines");
      at_ = next + 1;
      return true;
    }
    if (const auto unit = seconds_in(word(next))) {
      set_time(question_.seconds, value * *unit);
      at_ = next + 1;
      return true;
    }
    if (is(next, kFlopWords)) return take_as(question_.compute_flops, kFlopRange, "compute", next);
    if (const std::size_t end = petaflop_days(next); end != next) {
      set_once(question_.compute_flops, value * 8.64e19, kFlopRange, "compute");
      at_ = end;
      return true;
    }
    if (is(next, kParameterWords) || (quantity.scaled && is(next, kModelWords))) {
      take_parameters(value);
      at_ = next + 1;
      return true;
    }
    // "what loss will 1 B reach on 20 B tokens" gives none.
    const bool of_tokens =
        quantity.scaled || is(next, kTokenWords) || role_of(next) != Role::kTrain;
    if (word(next) == "nats" || (loss_follows_ && !of_tokens)) {
      loss_follows_ = false;
      return take_as(question_.loss, kLossRange, "the loss to reach",
                     word(next) == "nats" ? next : at_);
    }
    return take_tokens(value, next);
  }

  bool take_as(std::optional<double>& at, const FitRange& range, const std::string& what,
               std::size_t last) {
    set_once(at, *words_[at_].number, range, what);
    at_ = last + 1;
    return true;
  }

  void take_parameters(double value) {
    if (!question_.n) {
      set_once(question_.n, value, kParameterRange, "the number of parameters", kBillion);
    } else {
      set_once(question_.n_other, value, kParameterRange, "the other number of parameters",
               kBillion);
    }
  }

  enum class Role { kTrain, kInference, kUnique };
  Role role_of(std::size_t i) const {
    return is(i, kInferenceWords) ? Role::kInference
           : is(i, kUniqueWords)  ? Role::kUnique
                                  : Role::kTrain;
  }

  // "2 T tokens", "2 T inference tokens", "2 T tokens of inference", "inference of 2 T tokens"; a
  // number of nothing waits for what else is said.
  bool take_tokens(double value, std::size_t next) {
    Role role = pending_;
    if (role_of(next) != Role::kTrain) role = role_of(next++);
    if (is(next, {"training"})) ++next;
    if (!is(next, kTokenWords)) {
      if (role != Role::kTrain) {
        set_tokens(role, value);
      } else {
        bare_.push_back(words_[at_]);
      }
      at_ = next;
      return true;
    }
    ++next;
    std::size_t after = next;
    while (after < next + 2 && is(after, {"of", "for", "in", "at", "to"})) ++after;
    if (role == Role::kTrain && role_of(after) != Role::kTrain) {
      role = role_of(after);
      next = after + 1;
    }
    set_tokens(role, value);
    at_ = next;
    return true;
  }

  void set_tokens(Role role, double value) {
    pending_ = Role::kTrain;
    if (role == Role::kInference) {
      set_once(question_.d_inference, value, kTokenRange, "the number of inference tokens",
               kBillion);
    } else if (role == Role::kUnique) {
      set_once(question_.d_unique, value, kTokenRange, "the number of unique tokens", kBillion);
    } else {
      set_once(question_.d, value, kTokenRange, "the number of tokens", kBillion);
    }
  }

  bool take_word() {
    const std::string& w = word(at_);
    if (const std::size_t end = take_device(at_); end != at_) {
      at_ = end;
      return true;
    }
    const bool one = w == "a" || w == "an" || w == "per" || w == "each";
    if (const auto unit = seconds_in(one ? word(at_ + 1) : w); unit && (one || w.size() > 1)) {
      if (w == "per") return false;
      set_time(question_.seconds, *unit);
      at_ += one ? 2 : 1;
      return true;
    }
    if (role_of(at_) != Role::kTrain) pending_ = role_of(at_);
    if (is(at_, kLossWords)) loss_follows_ = true;
    asked_tokens_ = asked_tokens_ || is(at_, kTokenWords);
    asked_size_ = asked_size_ || w == "size" || w == "large" || w == "big";
    asked_gain_ = asked_gain_ || w == "gain" || w == "gains";
    const bool known = is(at_, kLossWords) || is(at_, kAskWords) || is(at_, kFillers) ||
                       is(at_, kTokenWords) || is(at_, kParameterWords) || is(at_, kDeviceWords) ||
                       role_of(at_) != Role::kTrain;
    if (known) ++at_;
    return known;
  }

  // Numbers without a unit: two sizes, or what the question leaves open.
  void settle_bare() {
    if (bare_.empty()) return;
    const bool second_size = bare_.size() == 1 && question_.n && !question_.d;
    const bool size_of_tokens = bare_.size() == 1 && bare_.front().scaled && question_.d &&
                                !question_.n;  // "7B on 2T tokens"
    const bool sizes =
        bare_.size() == 2 || second_size || size_of_tokens || asked_tokens_ || asked_gain_;
    for (const QuestionWord& quantity : bare_) {
      if (sizes && !question_.n_other) {
        take_parameters(*quantity.number);
      } else if (asked_size_ && !question_.d) {
        set_once(question_.d, *quantity.number, kTokenRange, "the number of tokens", kBillion);
      } else {
        throw ConfigError(excerpt(quantity.text) +
                          ": of what? parameters, tokens, FLOPs, GPUs by "
                          "name, a time; " +
                          what_is_understood());
      }
    }
  }

  void settle_machines() {
    const bool timed = question_.device_hours.has_value();
    if (device_ == nullptr && (count_ || timed)) {
      throw ConfigError("which machines? name one of " + device_names() +
                        "; for example: scalelaw budget 100 A100s for a month");
    }
    if (device_ == nullptr) return;
    question_.machines = Machines{device_, count_.value_or(1)};
    if (timed && question_.seconds) {
      throw ConfigError("device hours and a time: one of them says it all");
    }
    if (timed) {
      question_.seconds = *question_.device_hours * 3600 / question_.machines->count;
      if (!count_) question_.machines->count = 0;  // not said
    }
  }

  Words words_;
  std::size_t at_ = 0;
  BudgetQuestion question_;
  const TrainingDevice* device_ = nullptr;
  std::optional<double> count_;
  std::vector<QuestionWord> bare_;
  Role pending_ = Role::kTrain;
  bool loss_follows_ = false, asked_tokens_ = false, asked_size_ = false, asked_gain_ = false;
};

}  // namespace

BudgetQuestion budget_question(const std::vector<std::string>& words) {
  BudgetQuestion question = Understanding(question_words(words)).read();
  for (const std::string& word : words) question.said += (question.said.empty() ? "" : " ") + word;
  return question;
}

}  // namespace scalelaw
