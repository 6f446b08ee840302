// What the senders of a simulation send.
#include "model/effective_time.h"
#include "store/read_back.h"
#include "tests/simulate/simulation.h"

namespace trialward::simulate {

using intake::AppendRecord;
using intake::Command;
using intake::Lane;

namespace {

constexpr std::uint64_t kSources = 4, kSubjects = 8;

void set_number(model::Record& record, std::uint64_t number) {
  record.value.number = static_cast<double>(number);
  record.value.number_text = std::to_string(number);
}

}  // namespace

model::Record Simulation::invent() {
  model::Record record;
  record.source = "s" + std::to_string(random_.below(kSources));
  record.source_id = std::to_string(++numbers_);
  record.subject = "SUBJ-" + std::to_string(random_.below(kSubjects));
  // Up to a week ago, so that what comes late is earlier than what is there.
  const auto ago_s = static_cast<std::int64_t>(random_.below(7 * 24 * 3600));
  record.effective = model::format_utc(clock_.utc_ms() - 1000 * ago_s);
  const std::uint64_t kind = random_.below(100);
  if (kind < 50) {
    record.kind = model::Kind::lab;
    record.code = "ALT";
    record.unit = "U/L";
    record.range.low_text = "6";
    record.range.low = 6;
    record.range.high_text = "34";
    record.range.high = 34;
    set_number(record, chance(15) ? 102 + random_.below(400) : 6 + random_.below(90));
  } else if (kind < 85) {
    record.kind = model::Kind::vital;
    record.code = "8867-4";
    record.unit = "/min";
    set_number(record, 30 + random_.below(170));
  } else {
    record.kind = model::Kind::adverse_event;
    record.code = "Syncope";
    record.value.text = "Fainted";
    record.serious = chance(30);
    record.severity = chance(30) ? "SEVERE" : "MILD";
  }
  return record;
}

std::optional<AppendRecord> Simulation::prepared(model::Record record) {
  AppendRecord command;
  const model::Faults faults =
      intake::prepare(*server_.study(), std::move(record), clock_.utc_ms(), command);
  // After a jump of the wall clock a time may lie too far ahead.
  if (!faults.empty()) return std::nullopt;
  ledger_.sent(command.record, command.content);
  return command;
}

Command Simulation::acknowledgement() {
  const auto& open = ledger_.alerts_open();
  if (open.empty()) return intake::AcknowledgeAlert{.alert = 1 + static_cast<std::int64_t>(
                                                                 random_.below(5)),
                                                    .note = "not there, perhaps"};
  auto at = open.begin();
  std::advance(at, random_.below(open.size()));
  intake::AcknowledgeAlert command{.alert = at->first, .note = "seen"};
  // As whoever reads it now; a record that joins on the way makes it a conflict.
  if (!unreadable_) {
    auto values = store::read_back_of(server_.reader(), at->first);
    if (values) command.values = std::move(*values);
  }
  return command;
}

// Several records, all or none.
std::optional<Simulation::Message> Simulation::invent_group() {
  Message message{.lane = chance(50) ? Lane::live : Lane::bulk,
                  .patience = std::chrono::minutes(1)};
  std::vector<Key> keys;
  for (std::uint64_t i = 2 + random_.below(2); i > 0; --i) {
    auto command = prepared(invent());
    if (!command) return std::nullopt;
    keys.emplace_back(command->record.source, command->record.source_id);
    message.commands.emplace_back(std::move(*command));
  }
  if (chance(30)) message.commands.push_back(acknowledgement());
  ledger_.sent_together(std::move(keys));
  return message;
}

// A record that passes every check, and that the store cannot take.
std::optional<Simulation::Message> Simulation::invent_poison() {
  Message message{.patience = std::chrono::minutes(1), .poison = true};
  model::Record record = invent();
  record.effective = "2023-11-01";
  AppendRecord command;
  if (!intake::prepare(*server_.study(), std::move(record), clock_.utc_ms(), command).empty()) {
    return std::nullopt;
  }
  message.commands.emplace_back(std::move(command));
  return message;
}

std::optional<Simulation::Message> Simulation::invent_message() {
  Message message{.lane = chance(50) ? Lane::live : Lane::bulk,
                  .patience = std::chrono::milliseconds(chance(10) ? random_.below(100) : 60'000)};
  const auto& known = ledger_.acknowledged();
  const std::uint64_t dice = random_.below(100);
  if (dice < 3) return invent_poison();
  if (dice < 11) return invent_group();
  if (dice < 17) {
    message.lane = Lane::safety;
    message.commands.push_back(acknowledgement());
    return message;
  }
  model::Record record = invent();
  if (dice < 37 && !known.empty()) {
    const Ledger::Acknowledged& old = known[random_.below(known.size())];
    const model::Record& before = old.command.record;
    if (dice < 27) {
      record = before;  // a repeat
    } else if (dice < 31) {  // the same key for something else
      record.source = before.source;
      record.source_id = before.source_id;
    } else {  // a correction
      const std::string source_id = record.source_id;
      record = before;
      record.source_id = source_id;
      record.amends = old.id;
      record.reason = "read again";
      if (record.value.number) set_number(record, 1 + random_.below(200));
    }
  }
  auto command = prepared(std::move(record));
  if (!command) return std::nullopt;
  if (chance(15)) command->flags |= model::kHistorical;
  if (command->record.kind == model::Kind::adverse_event) message.lane = Lane::safety;
  message.commands.emplace_back(std::move(*command));
  return message;
}

}  // namespace trialward::simulate
