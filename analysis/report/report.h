// Writes a study to a folder: report.html, report.md, report.json, runs.csv, laws.json and
// figures/.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "analysis/report/document.h"
#include "analysis/study.h"

namespace scalelaw {

// The study's figures, in the report's order; what could not be drawn goes to `warnings`.
std::vector<Figure> study_figures(const Study& study, std::vector<std::string>& warnings);

// All sections. `command` is the command line that repeats the analysis.
Document report_document(const Study& study, const std::vector<Figure>& figures,
                         const std::string& command);

struct ReportFiles {
  std::filesystem::path page, markdown, json, runs_csv, laws_json;
  std::vector<std::filesystem::path> figures;  // PNG
  std::vector<std::string> warnings;
  std::string figures_missing;  // why the first is; empty: all were rendered
};
// Without gnuplot the page has no figures and says so; the rest is written all the same.
// std::runtime_error for disk faults.
ReportFiles write_report(const Study& study, const std::filesystem::path& folder,
                         const std::string& command);

}  // namespace scalelaw
