#include "analysis/report/report.h"

#include <algorithm>

#include "analysis/figures/gnuplot.h"
#include "analysis/figures/run_figures.h"
#include "analysis/report/page_parts.h"
#include "analysis/report/sections.h"
#include "trainer/atomic_file.h"
#include "trainer/number.h"

namespace scalelaw {
namespace {

std::string title_of(const Study& study) {
  if (study.laws.size() > 3) {
    return "Loss against size: " + std::to_string(study.laws.size()) + " arms";
  }
  std::string arms;
  for (const ArmLaws& arm : study.laws) arms += (arms.empty() ? "" : " and ") + arm.arm;
  return "Loss against size: " + arms;
}

std::string subtitle_of(const Study& study) {
  const Selection& s = study.options.selection;
  return study.table.source + " \xc2\xb7 " + std::to_string(study.table.rows.size()) +
         " runs \xc2\xb7 " + s.horizon + " \xc2\xb7 test set " + s.test_set + " \xc2\xb7 loss in " +
         std::string(unit(s.metric));
}

}  // namespace

std::vector<Figure> study_figures(const Study& study, std::vector<std::string>& warnings) {
  std::vector<Figure> figures = {law_figure(study.table, study.laws, study.options)};
  const auto has_curve = [](const RunRow& row) {
    return !row.tabled || !row.tabled->curve.empty();
  };
  if (std::ranges::any_of(study.table.rows, has_curve)) {
    figures.push_back(learning_curves(study.table, study.options, warnings));
  }
  if (!study.table.tabled) {
    figures.push_back(loss_by_position(study.table, study.laws, study.options));
  }
  return figures;
}

Document report_document(const Study& study, const std::vector<Figure>& figures,
                         const std::string& command) {
  Document document;
  document.title = title_of(study);
  document.subtitle = subtitle_of(study);
  document.heading("What these runs show");
  const Conclusions found = conclusions(study);
  document.lead(found.finding);
  document.list(found.support);
  for (const std::string& warning : study.warnings) document.notice(warning + ".");
  document.heading("Figures");
  for (const Figure& figure : figures) document.add(figure);
  add_comparisons(document, study);
  add_laws(document, study);
  add_multiverse(document, study);
  add_noise(document, study);
  add_runs(document, study);
  add_provenance(document, study);
  document.heading("Repeat this");
  document.code(command);
  document.paragraph(
      "The folder of this page holds runs.csv (one line a run), laws.json (every number above), "
      "report.md, report.json and, under figures/, each figure with its data and gnuplot script.");
  add_words(document);
  return document;
}

ReportFiles write_report(const Study& study, const std::filesystem::path& folder,
                         const std::string& command) {
  ReportFiles files{folder / "report.html",
                    folder / "report.md",
                    folder / "report.json",
                    folder / "runs.csv",
                    folder / "laws.json",
                    {},
                    {},
                    {}};
  std::filesystem::create_directories(folder);
  Study noted = study;
  const std::vector<Figure> figures = study_figures(study, files.warnings);
  std::map<std::string, std::string> svg;
  for (const Figure& figure : figures) {
    try {
      const RenderedFigure rendered = render(figure, folder / "figures");
      svg[figure.id] = read_whole_file(rendered.svg);
      files.figures.push_back(rendered.png);
    } catch (const std::runtime_error& error) {
      if (files.figures_missing.empty()) {
        files.figures_missing = std::string("figures are missing: ") + error.what();
      }
    }
  }
  for (const std::string& warning : files.warnings) noted.warnings.push_back(warning);
  if (!files.figures_missing.empty()) noted.warnings.push_back(files.figures_missing);
  const Document document = report_document(noted, figures, command);
  write_atomically(files.runs_csv, runs_csv(study.table, study.options.selection));
  write_atomically(files.laws_json, study_json(noted));
  write_atomically(files.markdown, to_markdown(document, svg.empty() ? "" : "figures"));
  write_atomically(files.json, to_json(document));
  write_atomically(files.page, to_html(document, svg, plotly_library()));
  return files;
}

}  // namespace scalelaw
