// The renderers of render.h, each in a file of its own.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "reports/document.h"
#include "reports/output.h"

namespace trialward::reports {

std::unique_ptr<Sink> make_json_renderer(Output& output);
std::unique_ptr<Sink> make_csv_renderer(Output& output);
std::unique_ptr<Sink> make_html_renderer(Output& output);

// Appends a text with what HTML and SVG would take for markup escaped; control characters, which
// neither may hold, become U+FFFD.
void escape_markup(std::string& out, std::string_view text);
// A coordinate of SVG, with one decimal: equal plots are equal bytes.
std::string svg_at(double coordinate);

}  // namespace trialward::reports
