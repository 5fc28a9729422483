// Renders a Figure with gnuplot: SVG for the page, PDF for papers, PNG for everywhere else, with
// its data and script beside them.
#pragma once

#include <filesystem>
#include <string>

#include "analysis/figures/figure.h"

namespace scalelaw {

struct RenderedFigure {
  std::filesystem::path svg, png, pdf, script, data;
};

// Writes FOLDER/ID.{dat,gp,svg,png,pdf}. std::runtime_error when gnuplot is not installed or fails,
// with its exit status and what it said.
RenderedFigure render(const Figure& figure, const std::filesystem::path& folder);

// The script; text from outside stands in single quotes only, where gnuplot substitutes nothing.
std::string gnuplot_script(const Figure& figure);
std::string gnuplot_data(const Figure& figure);
std::string gnuplot_quoted(const std::string& text);

// The rendered SVG to set inside a page: no XML header, ids of its own, scales with the page.
// The figure's id prefixes the ids; its title is read out by screen readers.
std::string inline_svg(const std::string& svg, const Figure& figure);

}  // namespace scalelaw
