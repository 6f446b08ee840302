#include "cli/partners_file.h"

#include <algorithm>
#include <fstream>
#include <iostream>

#include "delivery/targets.h"
#include "model/schedule.h"
#include "model/table_reader.h"

namespace trialward::cli {
namespace {

using model::TableReader;

constexpr std::size_t kPartnersBytesMax = 1 << 20;
constexpr std::string_view kStudyPlace = "{study}";  // in a URL: the study's id

double number_of(TableReader& table, const char* key, double otherwise, double min, double max) {
  const double value = table.number(key).value_or(otherwise);
  if (value >= min && value <= max) return value;
  const auto text = [](double bound) {
    std::string digits = std::to_string(bound);
    digits.erase(digits.find_last_not_of('0') + 1);
    if (digits.ends_with('.')) digits.pop_back();
    return digits;
  };
  table.fault(key, std::string(key) + " must be from " + text(min) + " to " + text(max));
  return otherwise;
}

base::Duration seconds_of(double seconds) {
  return std::chrono::duration_cast<base::Duration>(std::chrono::duration<double>(seconds));
}

bool is_own_machine_url(std::string_view url) {
  const std::string_view rest = url.substr(std::string_view("http://").size());
  const std::string_view host = rest.substr(
      0, rest.starts_with('[') ? rest.find(']') + 1 : rest.find_first_of(":/"));
  return host == "localhost" || host == "[::1]" ||
         (host.starts_with("127.") && host.find_first_not_of("0123456789.") == host.npos);
}

void check_partner_url(TableReader& table, const std::string& url) {
  const bool plain = table.flag("plain_http").value_or(false);
  if (url.empty()) return;  // said already
  if (!url.starts_with("https://") && !url.starts_with("http://")) {
    table.fault("url", "url must begin with https:// or http://");
  } else if (url.find_first_of(" \t\r\n?#@") != std::string::npos) {
    table.fault("url", "url must be that of a folder, without a user");
  } else if (url.starts_with("http://") && !plain && !is_own_machine_url(url)) {
    table.fault("url",
                "without TLS everyone on the way reads the subjects' data; plain_http = true "
                "allows it");
  }
}

std::string token_of(TableReader& table) {
  const std::string file = table.text("token_file"), variable = table.text("token_env");
  if (file.empty() && variable.empty()) return {};
  const char* key = file.empty() ? "token_env" : "token_file";
  if (!file.empty() && !variable.empty()) {
    table.fault("token_env", "either token_file or token_env");
    return {};
  }
  auto token =
      delivery::read_secret({.file = !file.empty(), .name = file.empty() ? variable : file});
  if (!token) {
    table.fault(key, token.error().message);
    return {};
  }
  while (!token->empty() && (token->back() == '\n' || token->back() == '\r')) token->pop_back();
  const bool clean = std::all_of(token->begin(), token->end(), [](char c) {
    return c > ' ' && c < 0x7f;
  });
  if (token->empty() || !clean) {
    table.fault(key, "the token must be one line of visible characters");
  }
  return std::move(*token);
}

schedule::Partner read_partner(TableReader& table) {
  schedule::Partner partner;
  partner.name = table.id("name");
  partner.url = table.id("url");
  check_partner_url(table, partner.url);
  partner.token = token_of(table);
  partner.ca_file = table.text("ca_file");
  partner.timeout = seconds_of(number_of(table, "timeout_s", 10, 0.1, 300));
  partner.every = seconds_of(number_of(table, "every_s", 900, 1, 86'400));
  partner.patience = seconds_of(number_of(table, "patience_s", 30, 0.1, 3600));
  partner.in_flight_max = static_cast<std::size_t>(
      number_of(table, "in_flight", 32, 1, static_cast<double>(schedule::kInFlightMax)));
  table.finish();
  return partner;
}

}  // namespace

std::optional<std::vector<schedule::Partner>> load_partners_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text(kPartnersBytesMax + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad() || (file.fail() && !file.eof())) {
    std::cerr << path << ": cannot be read\n";
    return std::nullopt;
  }
  text.resize(static_cast<std::size_t>(file.gcount()));
  model::DefinitionFaults faults;
  std::vector<schedule::Partner> partners;
  const model::DefinitionFile definition{path, std::move(text)};
  if (definition.text.size() > kPartnersBytesMax) {
    faults.push_back({path, 0, "has too many bytes"});
  } else if (const auto parsed = model::parse_toml(definition, faults)) {
    TableReader root(*parsed, "the file", path, faults);
    for (TableReader& table : root.tables("partners")) {
      if (partners.size() == schedule::kPartnersMax) {
        table.fault("name", "there are too many partners");
        break;
      }
      partners.push_back(read_partner(table));
      const std::string& name = partners.back().name;
      const auto same = [&name](const schedule::Partner& one) { return one.name == name; };
      if (std::count_if(partners.begin(), partners.end(), same) > 1) {
        table.fault("name", "the partner \"" + name + "\" is given twice");
      }
    }
    root.finish();
  }
  for (const model::DefinitionFault& fault : faults) std::cerr << model::to_string(fault) << '\n';
  if (!faults.empty()) return std::nullopt;
  return partners;
}

std::string partner_of_several(const std::vector<schedule::Partner>& partners,
                               const std::vector<intake::ActiveStudy>& studies) {
  for (const schedule::Partner& partner : partners) {
    if (partner.url.find(kStudyPlace) != std::string::npos) continue;
    const auto names = std::count_if(
        studies.begin(), studies.end(), [&partner](const intake::ActiveStudy& study) {
          const auto& schedule = study.study->schedule;
          return schedule != nullptr && schedule->sync && schedule->sync->partner == partner.name;
        });
    if (names > 1) return partner.name;
  }
  return {};
}

}  // namespace trialward::cli
