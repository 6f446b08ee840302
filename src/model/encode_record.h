// Record → native JSON, as decode_record.h reads it: for commands that send records to a server.
#pragma once

#include <string>

#include "model/record.h"

namespace trialward::model {

// Decoding it gives a record with the same canonical content. `original` is left out.
std::string encode_record(const Record& record);

}  // namespace trialward::model
