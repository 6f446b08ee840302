// How many connections a PostgreSQL server lets a user like ours have.
#pragma once

#include <cstdint>
#include <string>

#include "store/connection.h"

namespace trialward::store {

struct ConnectionRoom {
  std::int64_t connections = 0;  // that may be had, all nodes and tools together
  std::string why;               // "max_connections = 100, of which 3 are reserved"
};

// Of the server that `connection` is to. Errors: of the connection.
base::Result<ConnectionRoom> read_connection_room(Connection& connection);

}  // namespace trialward::store
