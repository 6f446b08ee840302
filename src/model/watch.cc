#include "model/watch.h"

namespace trialward::model {

std::string_view to_string(AlertSeverity severity) {
  switch (severity) {
    case AlertSeverity::info:
      return "info";
    case AlertSeverity::warning:
      return "warning";
    case AlertSeverity::critical:
      return "critical";
  }
  TW_CHECK(false);
}

}  // namespace trialward::model
