#include "analysis/budget/answer.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "analysis/budget/answer_parts.h"
#include "analysis/budget/plain_words.h"
#include "analysis/number_text.h"
#include "trainer/config_error.h"
#include "trainer/number.h"

namespace scalelaw {
namespace {

using Json = nlohmann::ordered_json;

std::string_view name(BudgetTopic topic) {
  constexpr std::array<std::string_view, 8> names = {"plan", "tokens", "size",      "run",
                                                     "gain", "loss",   "inference", "repeated"};
  return names[static_cast<std::size_t>(topic)];
}

class Answering {
 public:
  Answering(const BudgetQuestion& question, const std::vector<PlanningLaw>& laws,
            const BudgetOptions& options)
      : q_(question),
        laws_(laws),
        law_(laws.front()),
        options_(options),
        use_(utilisation_of(options)),
        topic_(topic_of(question)) {}

  BudgetAnswer answer() {
    out_.json = {{"question", q_.said}, {"topic", name(topic_)}, {"law", law_.name}};
    if (topic_ == BudgetTopic::kGain) {
      answer_gain();
    } else if (topic_ == BudgetTopic::kRepeated) {
      answer_repeated(q_, law_, use_.middle, out_);
    } else {
      answer_plan();
    }
    add_assumptions(q_, laws_, use_, out_);
    out_.json["warnings"] = out_.warnings;
    for (const std::string& warning : out_.warnings) out_.document.notice(warning);
    return std::move(out_);
  }

 private:
  // --- a plan -------------------------------------------------------------------------------

  PlanOf plan_at(double utilisation) const {
    const std::optional<double> flops = flops_of(q_, utilisation);
    switch (topic_) {
      case BudgetTopic::kPlan:
        return [this, c = *flops](const PlanningLaw& law) -> std::optional<TrainingPlan> {
          if (q_.n) return TrainingPlan{*q_.n, c / (6 * *q_.n), law.loss(*q_.n, c / (6 * *q_.n))};
          if (q_.d) return TrainingPlan{c / (6 * *q_.d), *q_.d, law.loss(c / (6 * *q_.d), *q_.d)};
          return plan_of_compute(law, c);
        };
      case BudgetTopic::kSize:
        return [this](const PlanningLaw& law) { return plan_of_tokens(law, *q_.d); };
      case BudgetTopic::kRun:
        return [this](const PlanningLaw& law) {
          return TrainingPlan{*q_.n, *q_.d, law.loss(*q_.n, *q_.d)};
        };
      case BudgetTopic::kLoss:
        return [this](const PlanningLaw& law) { return plan_of_loss(law, *q_.loss); };
      case BudgetTopic::kInference:
        return [this, flops](const PlanningLaw& law) {
          return plan_of_lifetime(law, to_match(law, flops).loss, *q_.d_inference);
        };
      default:
        return [this](const PlanningLaw& law) { return plan_of_size(law, *q_.n); };
    }
  }

  // What the model shall be as good as, when inference is counted.
  TrainingPlan to_match(const PlanningLaw& law, std::optional<double> flops) const {
    if (q_.loss) return plan_of_loss(law, *q_.loss).value_or(TrainingPlan{0, 0, *q_.loss});
    if (q_.n && q_.d) return {*q_.n, *q_.d, law.loss(*q_.n, *q_.d)};
    return q_.n ? plan_of_size(law, *q_.n) : plan_of_compute(law, *flops);
  }

  void answer_plan() {
    const PlanOf plan_of = plan_at(use_.middle);
    const std::optional<BandedPlan> found = banded(law_, plan_of);
    if (!found && !(q_.loss && *q_.loss <= law_.e)) {
      throw ConfigError("by this law (" + law_.name +
                        ") that is less than one parameter, or less than one token; ask for more "
                        "compute, or a lower loss");
    }
    if (!found) {
      never_reached();
    } else {
      out_.document.lead(lead_of(*found));
      out_.document.list(consequences(*found));
    }
    out_.json["plan"] = json_of(law_, found);
    Json others = Json::array();
    for (std::size_t i = 1; i < laws_.size(); ++i) {
      others.push_back(json_of(laws_[i], banded(laws_[i], plan_of)));
    }
    out_.json["others"] = others;
    out_.document.add(plans_by_law(laws_, plan_of));
    if (found && topic_ == BudgetTopic::kPlan && q_.machines && !use_.given) add_utilisations();
    if (found) check_range(found->plan);
  }

  void never_reached() {
    const Interval floor = floor_band(law_);
    const double asked = *q_.loss;
    out_.document.lead(
        "A loss of " + canonical(asked) +
        " is never reached, whatever the compute: "
        "by this law (" +
        law_.name + ") no model falls below " +
        loss_in_words(law_.e, law_.uncertainty ? std::optional(floor) : std::nullopt) + " " +
        law_.loss_unit + ".");
    if (asked > floor.low) {
      out_.document.paragraph("That is by the law's best constants; " + canonical(asked) +
                              " lies inside the range of its floor, so the law leaves it open.");
    }
    out_.json["floor"] = law_.e;
  }

  std::string ranges_note() const {
    return law_.uncertainty ? " Ranges in brackets are 95%."
                            : " The law comes without a range: none of its constants was given "
                              "with a covariance.";
  }

  std::string lead_of(const BandedPlan& p) const {
    const std::string size = about(p.plan.n, "parameters", p.n);
    const std::string tokens = about(p.plan.d, "tokens", p.d);
    const std::string loss =
        "a loss of about " + loss_in_words(p.plan.loss, p.loss) + " " + law_.loss_unit;
    const std::string given_n = q_.n ? in_plain_words(*q_.n) + " parameters" : "";
    std::string lead;
    switch (topic_) {
      case BudgetTopic::kPlan:
        lead = said_in_words(q_) + " " + said_verb(q_) + " enough to train " +
               (q_.n ? given_n : size) + " on " + tokens + ", for " + loss + ".";
        break;
      case BudgetTopic::kTokens:
        lead = "Train " + given_n + " on " + tokens + ", for " + loss + ".";
        break;
      case BudgetTopic::kSize:
        lead = in_plain_words(*q_.d) + " tokens are spent best on a model of " + size + ", for " +
               loss + ".";
        break;
      case BudgetTopic::kRun:
        lead = given_n + " trained on " + in_plain_words(*q_.d) + " tokens come to " + loss + ".";
        break;
      case BudgetTopic::kLoss:
        lead = "The cheapest way to a loss of " + canonical(*q_.loss) + " is " + size + " on " +
               tokens + ": about " + flops_in_words(p.plan.flops()) +
               (p.flops ? " (" + flops_in_words(p.flops->low) + " to " +
                              flops_in_words(p.flops->high) + ")"
                        : "") +
               ".";
        break;
      default:
        lead = "With " + in_plain_words(*q_.d_inference) + " tokens of inference over its life, " +
               loss + " costs least with " + size + " trained on " + tokens + ".";
    }
    return lead + ranges_note();
  }

  std::vector<std::string> consequences(const BandedPlan& p) {
    std::vector<std::string> list;
    const double flops = p.plan.flops();
    list.push_back("Compute: " + flops_in_words(flops) + " (6 x parameters x tokens), " +
                   in_plain_words(p.plan.d / p.plan.n) + " tokens a parameter.");
    if (topic_ == BudgetTopic::kInference) add_lifetime(p.plan, list);
    if (q_.machines) add_machines(p.plan, list);
    if (topic_ == BudgetTopic::kTokens || topic_ == BudgetTopic::kRun) {
      const double least = law_.loss_without_limit_of_data(p.plan.n);
      list.push_back(
          "With no limit of tokens this size would come to " + fixed(least, 2) + " " +
          law_.loss_unit +
          (topic_ == BudgetTopic::kTokens
               ? "; more tokens than these lower its loss still, a larger model lowers it "
                 "for less."
               : "."));
    }
    if (topic_ == BudgetTopic::kRun) {
      const TrainingPlan best = plan_of_compute(law_, flops);
      list.push_back("The same compute is spent best on " + in_plain_words(best.n) +
                     " parameters and " + in_plain_words(best.d) +
                     " tokens: " + fixed(best.loss, 2) + ".");
    }
    return list;
  }

  void add_lifetime(const TrainingPlan& plan, std::vector<std::string>& list) {
    const TrainingPlan usual = to_match(law_, flops_of(q_, use_.middle));
    const double all = lifetime_flops(plan, *q_.d_inference);
    const double all_usual = lifetime_flops(usual, *q_.d_inference);
    list.push_back("Training and inference together: " + flops_in_words(all) + "; a model of " +
                   in_plain_words(usual.n) + " parameters and " + in_plain_words(usual.d) +
                   " tokens, of the same loss, would cost " + flops_in_words(all_usual) +
                   ", that is " + percent(all_usual / all - 1, 0) + " more.");
    out_.json["lifetime_flops"] = all;
    out_.json["compared_with"] = {{"n", usual.n}, {"d", usual.d}, {"lifetime_flops", all_usual}};
  }

  void add_machines(const TrainingPlan& plan, std::vector<std::string>& list) {
    const Machines& machines = *q_.machines;
    std::optional<double> hours = q_.device_hours;
    if (!hours && q_.seconds) hours = machines.count * *q_.seconds / 3600;
    if (!hours) {
      const double seconds = seconds_for(plan.flops(), machines, use_.middle);
      hours = machines.count * seconds / 3600;
      list.push_back(
          "On " + in_whole_words(machines.count) + " " + std::string(machines.device->name) +
          " training takes about " + time_in_words(seconds) +
          (use_.given ? ""
                      : " (" + time_in_words(seconds * use_.middle / use_.high) + " to " +
                            time_in_words(seconds * use_.middle / use_.low) + ", by utilisation)") +
          ".");
      out_.json["seconds"] = seconds;
    }
    if (options_.price_per_hour) {
      // Hours that were said are no estimate: their price has every digit.
      const bool said = q_.device_hours || q_.seconds;
      const auto shown = [&](double value) {
        return said && value >= 10 ? in_whole_words(value) : in_plain_words(value);
      };
      list.push_back("Price: " + shown(*hours * *options_.price_per_hour) + " (" + shown(*hours) +
                     " hours at " + canonical(*options_.price_per_hour) + ").");
      out_.json["price"] = *hours * *options_.price_per_hour;
    }
    const MemoryCheck memory = memory_check(plan.n, machines);
    (memory.fits ? list : out_.warnings).push_back("Memory: " + memory.words + ".");
    out_.json["memory_fits"] = memory.fits;
  }

  void add_utilisations() {
    DocumentTable table{"By the share of the machines' peak that training reaches",
                        {{"utilisation", false}, {"compute"}, {"parameters"}, {"tokens"}, {"loss"}},
                        {}};
    for (const double share : {use_.low, use_.middle, use_.high}) {
      const TrainingPlan plan = *plan_at(share)(law_);
      table.rows.push_back({percent(share, 0), flops_in_words(plan.flops()), in_plain_words(plan.n),
                            in_plain_words(plan.d), fixed(plan.loss, 2)});
    }
    out_.document.add(table);
  }

  void check_range(const TrainingPlan& plan) {
    const std::string beyond = beyond_in_words(law_, plan);
    if (!beyond.empty()) out_.warnings.push_back(beyond);
  }

  // --- two sizes ------------------------------------------------------------------------------

  void answer_gain() {
    const double small = std::min(*q_.n, *q_.n_other), large = std::max(*q_.n, *q_.n_other);
    const auto plan = [this](const PlanningLaw& law, double n) {
      return q_.d ? TrainingPlan{n, *q_.d, law.loss(n, *q_.d)} : plan_of_size(law, n);
    };
    const auto gain = [&](const PlanningLaw& law) -> std::optional<double> {
      return plan(law, small).loss - plan(law, large).loss;
    };
    const TrainingPlan before = plan(law_, small), after = plan(law_, large);
    const std::optional<Interval> range = band(law_, gain);
    const double lower = *gain(law_);
    const double more = after.flops() / before.flops();
    out_.document.lead("From " + in_plain_words(small) + " to " + in_plain_words(large) +
                       " parameters the loss falls by about " + loss_in_words(lower, range) + " " +
                       law_.loss_unit + ", from " + fixed(before.loss, 2) + " to " +
                       fixed(after.loss, 2) + ", for " + times_in_words(more) + " the compute." +
                       ranges_note());
    out_.document.list(
        {q_.d ? "Both are trained on " + in_plain_words(*q_.d) + " tokens."
              : "Each is trained on the tokens that suit it best: " + in_plain_words(before.d) +
                    " and " + in_plain_words(after.d) + ".",
         "Of what lies above the floor of " + fixed(law_.e, 2) +
             ", which no size removes, that is " + percent(lower / (before.loss - law_.e), 0) +
             "."});
    DocumentTable table{"The same by each law",
                        {{"law", false},
                         {"loss at " + in_plain_words(small)},
                         {"loss at " + in_plain_words(large)},
                         {"gain"},
                         {"compute"}},
                        {}};
    Json by_law = Json::array();
    for (const PlanningLaw& law : laws_) {
      const TrainingPlan a = plan(law, small), b = plan(law, large);
      const std::optional<Interval> known = band(law, gain);
      table.rows.push_back({law.name + " (" + law.words + ")", fixed(a.loss, 2), fixed(b.loss, 2),
                            loss_in_words(a.loss - b.loss, known),
                            times_in_words(b.flops() / a.flops())});
      by_law.push_back({{"law", law.name},
                        {"loss_small", a.loss},
                        {"loss_large", b.loss},
                        {"gain", a.loss - b.loss},
                        {"gain_interval", json_of(known)},
                        {"times_compute", b.flops() / a.flops()}});
    }
    out_.document.add(table);
    out_.json["gain"] = by_law;
    if (q_.machines && q_.machines->count > 0) {
      std::vector<std::string> list;
      add_machines(after, list);
      out_.document.list(list);
    }
    check_range(after);
  }

  const BudgetQuestion& q_;
  const std::vector<PlanningLaw>& laws_;
  const PlanningLaw& law_;
  const BudgetOptions& options_;
  Utilisation use_;
  BudgetTopic topic_;
  BudgetAnswer out_;
};

}  // namespace

BudgetAnswer answer_budget(const BudgetQuestion& question, const std::vector<PlanningLaw>& laws,
                           const BudgetOptions& options) {
  return Answering(question, laws, options).answer();
}

}  // namespace scalelaw
