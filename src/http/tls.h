// The TLS side of a server: certificate chain and key from PEM files, TLS 1.2 and up.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"

namespace boost::asio::ssl {
class context;
}

namespace trialward::http {

// Shared by all connections of a server. Errc::invalid names the file that is of no use.
base::Result<std::shared_ptr<boost::asio::ssl::context>> load_tls(const std::string& cert_path,
                                                                  const std::string& key_path);

}  // namespace trialward::http
