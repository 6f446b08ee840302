// Any bytes as a file of targets: they are refused with lines and reasons, or become targets that
// requests can be made for.
#include <cstdint>
#include <set>

#include "base/check.h"
#include "delivery/message.h"
#include "delivery/targets.h"

using namespace trialward;

namespace {

// What stands in the file's own names, so that secrets are fuzzed as well.
base::Result<std::string> named(const delivery::SecretPlace& place) {
  if (place.name.size() > 200) return base::Error{base::Errc::invalid, "too long a name"};
  return place.name;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto targets = delivery::read_targets({"targets.toml", text}, named, {});
  if (!targets) {
    TW_CHECK(!targets.error().empty());
    for (const model::DefinitionFault& fault : targets.error()) {
      TW_CHECK(fault.file == "targets.toml" && fault.line >= 0 && !fault.reason.empty());
    }
    return 0;
  }
  TW_CHECK(targets->retry.initial > base::Duration::zero() &&
           targets->retry.initial <= targets->retry.max);
  TW_CHECK(targets->all.size() <= delivery::kTargetsMax);
  std::set<std::string> names;
  store::DeliveryContent content{.event = 1, .study = "s"};
  content.alert_event.type = model::AlertEventType::raised;
  for (const delivery::Target& target : targets->all) {
    TW_CHECK(names.insert(target.name).second && targets->find(target.name) == &target);
    TW_CHECK(target.in_flight_max > 0 && target.timeout > base::Duration::zero());
    if (target.kind == delivery::TargetKind::webhook) {
      TW_CHECK(!target.secrets.empty());
      TW_CHECK(delivery::webhook(target, "k", content, 1, 0).url == target.url);
    } else {
      TW_CHECK(!target.to.empty() && !delivery::email(target, "k", content).from.empty());
    }
  }
  return 0;
}
