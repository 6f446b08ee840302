#include "reports/render.h"

#include "base/check.h"
#include "reports/renderers.h"

namespace trialward::reports {

std::string_view to_string(Format format) {
  switch (format) {
    case Format::json: return "json";
    case Format::csv: return "csv";
    case Format::html: return "html";
  }
  return "";
}

std::optional<Format> parse_format(std::string_view text) {
  for (const Format format : {Format::json, Format::csv, Format::html}) {
    if (to_string(format) == text) return format;
  }
  return std::nullopt;
}

std::string_view media_type(Format format) {
  switch (format) {
    case Format::json: return "application/json";
    case Format::csv: return "text/csv; charset=utf-8";
    case Format::html: return "text/html; charset=utf-8";
  }
  return "";
}

std::unique_ptr<Sink> make_renderer(Format format, Output& output) {
  switch (format) {
    case Format::json: return make_json_renderer(output);
    case Format::csv: return make_csv_renderer(output);
    case Format::html: return make_html_renderer(output);
  }
  TW_CHECK(false);
}

void escape_markup(std::string& out, std::string_view text) {
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '\'': out += "&#39;"; break;
      default:
        if (static_cast<unsigned char>(c) < ' ' && c != '\n' && c != '\t') {
          out += "\xEF\xBF\xBD";
        } else {
          out.push_back(c);
        }
    }
  }
}

}  // namespace trialward::reports
