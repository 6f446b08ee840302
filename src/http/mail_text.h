// The text of a mail: headers and one part of UTF-8 text, as MIME says (RFC 5322, 2045, 2047).
//
//   From, To, Subject (encoded words when it is not ASCII), Date, Message-ID: <id@host of From>,
//   MIME-Version, Content-Type: text/plain; charset=utf-8, Content-Transfer-Encoding: base64,
//   Auto-Submitted: auto-generated (RFC 3834: nobody's out-of-office answers it), further ones
// Lines end with CRLF and have at most 78 characters, those of further headers and addresses apart.
// Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/outbound.h"

namespace trialward::http {

// Errors: invalid, when a line's end or another control character stands where it would make a
// header of its own, an address is none, or there is nobody to send it to.
base::Result<std::string> mail_text(const base::OutboundMail& mail, std::int64_t utc_ms);

}  // namespace trialward::http
