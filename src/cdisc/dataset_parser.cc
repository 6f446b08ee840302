#include "cdisc/dataset_parser.h"

#include <simdjson.h>

#include <optional>
#include <set>
#include <utility>

#include "model/json_number.h"

namespace trialward::cdisc {
namespace {

namespace ondemand = simdjson::ondemand;
using ondemand::json_type;

constexpr std::string_view kVersion = "1.1";

base::Error not_json(simdjson::error_code error) {
  return base::invalid(std::string("is not JSON: ") + simdjson::error_message(error));
}

base::Error wrong_type(std::string_view name, std::string_view expected) {
  return base::invalid(std::string(name) + " must be " + std::string(expected));
}

base::Status read_text(ondemand::value& value, std::string_view name, std::string& out) {
  std::string_view text;
  const auto error = value.get_string().get(text);
  if (error == simdjson::INCORRECT_TYPE) return wrong_type(name, "a text");
  if (error) return not_json(error);
  out = text;
  return {};
}

// Calls read_member(name, value) for each member of an object.
template <class F>
base::Status each_member(ondemand::object& object, F&& read_member) {
  for (auto field : object) {
    std::string_view name;
    if (const auto error = field.unescaped_key().get(name)) return not_json(error);
    ondemand::value value;
    if (const auto error = field.value().get(value)) return not_json(error);
    if (auto status = read_member(name, value); !status) return status;
  }
  return {};
}

base::Status read_columns(ondemand::value& value, std::vector<Column>& columns) {
  constexpr std::string_view kExpected = "an array of objects";
  ondemand::array array;
  const auto array_error = value.get_array().get(array);
  if (array_error == simdjson::INCORRECT_TYPE) return wrong_type("columns", kExpected);
  if (array_error) return not_json(array_error);
  for (auto element : array) {
    ondemand::object object;
    const auto error = element.get_object().get(object);
    if (error == simdjson::INCORRECT_TYPE) return wrong_type("columns", kExpected);
    if (error) return not_json(error);
    Column& column = columns.emplace_back();
    const auto status = each_member(object, [&](std::string_view name, ondemand::value& member) {
      if (name == "itemOID") return read_text(member, name, column.item_oid);
      if (name == "name") return read_text(member, name, column.name);
      if (name == "label") return read_text(member, name, column.label);
      if (name == "dataType") return read_text(member, name, column.data_type);
      return base::Status();
    });
    if (!status) return status;
  }
  return {};
}

base::Status check_columns(const std::vector<Column>& columns) {
  if (columns.empty()) return base::invalid("has no columns");
  std::set<std::string_view> names;
  for (const Column& column : columns) {
    if (column.name.empty()) return base::invalid("has a column without a name");
    if (!names.insert(column.name).second)
      return base::invalid("has the column " + column.name + " twice");
  }
  return {};
}

// One value of a row.
base::Status read_cell(ondemand::value& value, std::string& cell) {
  json_type type;
  if (const auto error = value.type().get(type)) return not_json(error);
  if (type == json_type::string) {
    std::string_view text;
    if (const auto error = value.get_string().get(text)) return not_json(error);
    cell = text;
  } else if (type == json_type::number) {
    // simdjson's token reaches to the next comma or bracket.
    std::string_view token = value.raw_json_token();
    token = token.substr(0, token.find_last_not_of(" \t\r\n") + 1);
    if (!model::is_json_number(token)) return not_json(simdjson::NUMBER_ERROR);
    cell = token;
  } else if (type == json_type::boolean) {
    bool flag = false;
    if (const auto error = value.get_bool().get(flag)) return not_json(error);
    cell = flag ? "true" : "false";
  } else if (type == json_type::null) {
    bool null = false;
    const auto error = value.is_null().get(null);
    if (error || !null) return not_json(error ? error : simdjson::N_ATOM_ERROR);
    cell.clear();
  } else {
    return base::invalid("must be a text, a number, true, false or null");
  }
  return {};
}

}  // namespace

struct DatasetParser::Simd {
  ondemand::parser parser{kMetadataBytesMax};
  std::string padded;  // simdjson reads a few bytes past the end

  auto iterate(std::string_view json) {
    padded.assign(json).append(simdjson::SIMDJSON_PADDING, ' ');
    return parser.iterate(padded.data(), json.size(), padded.size());
  }
};

DatasetParser::DatasetParser() : simd_(std::make_unique<Simd>()) {}
DatasetParser::~DatasetParser() = default;

base::Result<Metadata> DatasetParser::parse_metadata(std::string_view json) {
  auto document = simd_->iterate(json);
  ondemand::object object;
  if (const auto error = document.get_object().get(object)) return not_json(error);
  Metadata metadata;
  std::string version;
  std::optional<std::uint64_t> records;
  const auto status = each_member(object, [&](std::string_view name, ondemand::value& value) {
    if (name == "datasetJSONVersion") return read_text(value, name, version);
    if (name == "itemGroupOID") return read_text(value, name, metadata.item_group_oid);
    if (name == "name") return read_text(value, name, metadata.name);
    if (name == "label") return read_text(value, name, metadata.label);
    if (name == "studyOID") return read_text(value, name, metadata.study_oid);
    if (name == "columns") return read_columns(value, metadata.columns);
    if (name == "records") {
      std::uint64_t count = 0;
      if (value.get_uint64().get(count)) return base::Status(wrong_type(name, "a count"));
      records = count;
    }
    return base::Status();
  });
  if (!status) return status.error();
  if (!version.starts_with(kVersion)) {
    return base::invalid("is not Dataset-JSON " + std::string(kVersion) +
                         ": datasetJSONVersion is " +
                         (version.empty() ? "missing" : "\"" + version + "\""));
  }
  if (metadata.name.empty()) return base::invalid("has no name");
  if (!records) return base::invalid("does not say how many records it has");
  metadata.records = *records;
  if (auto columns = check_columns(metadata.columns); !columns) return columns.error();
  return metadata;
}

base::Status DatasetParser::parse_row(std::string_view json, const std::vector<Column>& columns,
                                      std::vector<std::string>& cells) {
  auto document = simd_->iterate(json);
  ondemand::array array;
  if (const auto error = document.get_array().get(array)) return not_json(error);
  cells.resize(columns.size());
  std::size_t count = 0;
  for (auto element : array) {
    ondemand::value value;
    if (const auto error = element.get(value)) return not_json(error);
    if (count == columns.size()) {
      return base::invalid("has more values than there are columns, " + std::to_string(count));
    }
    if (const auto status = read_cell(value, cells[count]); !status) {
      return base::invalid(columns[count].name + " " + status.error().message);
    }
    ++count;
  }
  if (count < columns.size()) {
    return base::invalid("has " + std::to_string(count) + " values for " +
                         std::to_string(columns.size()) + " columns");
  }
  return {};
}

}  // namespace trialward::cdisc
