#include "analysis/frontier/frontier_text.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "analysis/frontier/measured_frontier_coverage.h"
#include "analysis/number_text.h"
#include "analysis/published/published_laws.h"
#include "trainer/number.h"

namespace scalelaw {
namespace {

std::string interval_or_dash(const std::optional<Interval>& interval, int decimals) {
  return interval ? interval_text(interval->low, interval->high, decimals) : "-";
}

// "1.2M [1M, 1.4M]"
std::string with_interval(const Estimate& e) {
  return human(e.value) +
         (e.interval ? " [" + human(e.interval->low) + ", " + human(e.interval->high) + "]" : "");
}

std::string loss_text(const Estimate& e) {
  return fixed(e.value, 4) +
         (e.interval ? " " + interval_text(e.interval->low, e.interval->high, 4) : "");
}

std::string used(const Approach& a) {
  std::string text = a.runs > 0 ? std::to_string(a.runs) : "";
  if (a.budgets > 0)
    text += (text.empty() ? "" : ", ") + std::to_string(a.budgets) +
            (a.budgets == 1 ? " budget" : " budgets");
  return text;
}

std::string exponent_interval(const Approach& a) {
  if (a.exponent.interval) return interval_or_dash(a.exponent.interval, 3);
  return a.spread ? "sd " + fixed(*a.spread, 3) + " over draws of runs" : "-";
}

DocumentTable exponents_of(const Frontier& f) {
  DocumentTable table{"N* ~ C^a and D* ~ C^b, every approach on these runs, then published ones",
                      {{"approach", false},
                       {"runs used", false},
                       {"a"},
                       {level_text(f.options.level) + " interval", false},
                       {"bootstrap", false},
                       {"bias on this grid"},
                       {"b"},
                       {"status", false}},
                      {}};
  for (const Approach& a : f.approaches) {
    if (!a.stands()) {
      table.rows.push_back({std::string(in_words(a.kind)), used(a), "-", "-", "-", "-", "-",
                            std::string(name(a.status))});
      continue;
    }
    table.rows.push_back({std::string(in_words(a.kind)), used(a), fixed(a.exponent.value, 4),
                          exponent_interval(a), interval_or_dash(a.exponent.bootstrap, 3),
                          a.bias ? signed_fixed(*a.bias, 4) : "-", fixed(a.d_exponent, 4),
                          std::string(name(a.status))});
  }
  for (const PublishedFrontier& p : published_frontiers()) {
    const std::string interval = p.interval ? interval_text(p.interval->low, p.interval->high, 3) +
                                                  " at " + level_text(p.interval_level)
                                            : "-";
    table.rows.push_back({std::string(p.words), std::string(p.source), fixed(p.exponent, 2),
                          interval, "-", "-", "-", "published"});
  }
  return table;
}

// Of a published surface, with C = 6 N D.
BudgetEstimate published_at(const PublishedSurface& s, double c) {
  const double a = s.beta / (s.alpha + s.beta);
  const double ln_n =
      std::log(s.alpha * s.a / (s.beta * s.b)) / (s.alpha + s.beta) + a * std::log(c / 6);
  BudgetEstimate at;
  at.budget = c;
  at.n.value = std::exp(ln_n);
  at.d.value = c / 6 / at.n.value;
  at.loss.value = s.e + s.a * std::pow(at.n.value, -s.alpha) + s.b * std::pow(at.d.value, -s.beta);
  return at;
}

DocumentTable budgets_of(const Frontier& f) {
  DocumentTable table{"N*, D* and L* of a budget; * lies outside of the budgets that were used",
                      {{"C"}, {"approach", false}, {"N*"}, {"D*"}, {"D* / N*"}, {"L*"}},
                      {}};
  const auto row = [&](const BudgetEstimate& at, const std::string& approach) {
    table.rows.push_back({human(at.budget) + (at.beyond ? " *" : ""), approach, with_interval(at.n),
                          with_interval(at.d), human(at.d.value / at.n.value),
                          at.loss_known ? loss_text(at.loss) : "-"});
  };
  for (std::size_t b = 0; b < f.budgets.size(); ++b) {
    for (const Approach& a : f.approaches) {
      if (b < a.at.size()) row(a.at[b], std::string(in_words(a.kind)));
    }
    for (const PublishedSurface& s : published_surfaces()) {
      row(published_at(s, f.budgets[b]), std::string(s.words) + ", published");
    }
  }
  return table;
}

std::string minimum_text(const IsoFlopMinimum& m) {
  switch (m.status) {
    case MinimumStatus::kInside:
      return human(std::exp(m.ln_n)) +
             (m.ln_n_error > 0 ? " (" + percent(std::expm1(m.ln_n_error), 1) + ")" : "");
    case MinimumStatus::kAtOrBelow:
      return "at most " + human(std::exp(m.ln_n)) + ": an edge";
    case MinimumStatus::kAtOrAbove:
      return "at least " + human(std::exp(m.ln_n)) + ": an edge";
    case MinimumStatus::kNone:
      return "none: the parabola opens downwards";
    case MinimumStatus::kTooFewSizes:
      break;
  }
  return "too few sizes";
}

void add_minima(Document& document, const Frontier& f) {
  if (f.isoflop.budgets.empty()) return;
  DocumentTable table{
      "IsoFLOP minima: N* (one standard error of it), and the lowest loss",
      {{"C"}, {"runs"}, {"sizes"}, {"N from"}, {"to"}, {"parabola"}, {"L"}, {"Akima"}},
      {}};
  for (const IsoFlop& b : f.isoflop.budgets) {
    table.rows.push_back(
        {human(b.budget), std::to_string(b.points.size()), std::to_string(b.ln_n.size()),
         human(std::exp(b.ln_n.front())), human(std::exp(b.ln_n.back())), minimum_text(b.parabola),
         b.parabola.status == MinimumStatus::kInside ? fixed(b.parabola.loss, 4) : "-",
         minimum_text(b.akima)});
  }
  document.add(table);
  document.paragraph("Noise of ln L about the parabolas, lack of fit included: " +
                     percent(f.isoflop.noise, 2) + ". Errors of minima rest on " +
                     (f.isoflop.pooled ? "all budgets together." : "each budget's own residuals."));
}

std::string compute_in_words(const Frontier& f) {
  if (!f.data.optima.empty()) return "";
  const ComputeLaw& law = f.compute;
  if (law.s == 0) return " C = " + fixed(std::exp(law.ln_k), 3) + " N D.";
  return " C = " + human(std::exp(law.ln_k)) + " N^" + fixed(1 + law.s, 3) + " D, within " +
         percent(law.worst, 1) + " at every run.";
}

// All that stand by these runs, lowest and highest exponent named.
std::string disagreement(const Frontier& f) {
  const Approach *low = nullptr, *high = nullptr;
  for (const Approach& a : f.approaches) {
    if (!a.stands()) continue;
    if (low == nullptr || a.exponent.value < low->exponent.value) low = &a;
    if (high == nullptr || a.exponent.value > high->exponent.value) high = &a;
  }
  if (low == nullptr) {
    return "No exponent of N*(C) stands on these runs; minima of single budgets do.";
  }
  if (low == high) {
    return "N* ~ C^" + fixed(low->exponent.value, 3) + " by " + std::string(in_words(low->kind)) +
           "; no other approach stands on these runs.";
  }
  return "N* ~ C^a with a from " + fixed(low->exponent.value, 3) + " (" +
         std::string(in_words(low->kind)) + ") to " + fixed(high->exponent.value, 3) + " (" +
         std::string(in_words(high->kind)) + "): they are all shown, none is picked.";
}

void add_left_out(Document& document, const Frontier& f) {
  constexpr std::size_t kMostNamed = 12;
  if (f.data.left_out.empty()) return;
  std::map<std::string, std::vector<std::string>> by_reason;
  for (const LeftOut& l : f.data.left_out) by_reason[l.why].push_back(l.what);
  std::vector<std::string> items;
  for (const auto& [why, what] : by_reason) {
    std::string text;
    for (std::size_t i = 0; i < std::min(what.size(), kMostNamed); ++i) {
      text += (i ? "; " : "") + what[i];
    }
    if (what.size() > kMostNamed)
      text += " and " + std::to_string(what.size() - kMostNamed) + " more";
    items.push_back(text + ": " + why);
  }
  document.paragraph("Left out:");
  document.list(items);
}

}  // namespace

Document document_of(const Frontier& f) {
  Document document;
  document.heading("Compute-optimal frontier of " + f.data.source);
  document.lead(disagreement(f));
  std::string words = "N: " + f.data.n_words + ". C: " + f.data.c_words + ".";
  if (f.data.optima.empty()) {
    words += " D: " + f.data.d_words + ". L: " + f.data.loss_words + ". " +
             std::to_string(f.data.points.size()) + " points of " + std::to_string(f.data.runs()) +
             " runs, " + std::to_string(f.data.curves.size()) + " with loss curves.";
  } else {
    words += " " + std::to_string(f.data.optima.size()) + " minima as given.";
  }
  document.paragraph(words + compute_in_words(f));
  document.add(exponents_of(f));
  std::vector<std::string> remarks;
  for (const Approach& a : f.approaches) {
    const std::string of = std::string(in_words(a.kind)) + ": ";
    if (!a.why.empty()) remarks.push_back(of + a.why);
    for (const std::string& remark : a.remarks) remarks.push_back(of + remark);
    if (a.stands() && a.exponent.interval && f.options.level == 0.95 &&
        !measured_coverage(a.kind).empty()) {
      remarks.push_back(of + std::string(measured_coverage(a.kind)));
    }
  }
  document.list(remarks);
  document.add(budgets_of(f));
  add_minima(document, f);
  document.paragraph(
      "Published rows are of other text, tokenizers and counts of N; their losses do not compare "
      "with these, their exponents may.");
  add_left_out(document, f);
  return document;
}

}  // namespace scalelaw
