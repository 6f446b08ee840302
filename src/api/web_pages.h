// The pages that the program serves, with the headers that keep them safe.
#pragma once

#include <vector>

#include "api/route.h"

namespace trialward::api {

// A route for anyone per file of web/, and one per folder of the patients' page, whose files have
// other names in each version. A page holds no data until a token is given to it. Names with a
// digest in them are cached for good, all else is asked for anew.
std::vector<Route> web_routes();

// The operations page and its files, of the operations listener.
std::vector<Route> ops_pages();

}  // namespace trialward::api
