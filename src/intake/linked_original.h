// Records of one submission that refer to each other in their originals, while they are stored. On
// the committing thread; borrows the command.
#pragma once

#include <algorithm>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "base/check.h"
#include "intake/submission.h"

namespace trialward::intake {

// Puts ids into a record's original. It comes back as it was: a batch that is tried again may give
// others.
class LinkedOriginal {
 public:
  LinkedOriginal(AppendRecord* command, std::span<const std::int64_t> ids) : command_(command) {
    if (command_ == nullptr || command_->links.empty()) return;
    const std::string& text = command_->record.original;
    std::size_t copied = 0;
    std::string linked;
    for (const OriginalLink& link : command_->links) {
      TW_CHECK(link.command < ids.size() && copied <= link.at && link.at <= text.size());
      linked.append(text, copied, link.at - copied);
      linked.append(link.type).append("/").append(std::to_string(ids[link.command]));
      copied = link.at + link.size;
    }
    linked.append(text, copied);
    before_ = std::exchange(command_->record.original, std::move(linked));
  }
  ~LinkedOriginal() {
    if (before_) command_->record.original = std::move(*before_);
  }
  LinkedOriginal(const LinkedOriginal&) = delete;
  LinkedOriginal& operator=(const LinkedOriginal&) = delete;

 private:
  AppendRecord* const command_;
  std::optional<std::string> before_;
};

inline bool has_links(const Submission& submission) {
  return std::any_of(submission.commands.begin(), submission.commands.end(),
                     [](const Command& command) {
                       const auto* append = std::get_if<AppendRecord>(&command);
                       return append != nullptr && !append->links.empty();
                     });
}

}  // namespace trialward::intake
