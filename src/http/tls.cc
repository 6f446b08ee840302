#include "http/tls.h"

#include <boost/asio/ssl/context.hpp>

namespace trialward::http {

namespace ssl = boost::asio::ssl;

base::Result<std::shared_ptr<ssl::context>> load_tls(const std::string& cert_path,
                                                     const std::string& key_path) {
  const auto wrong = [](const std::string& path, const boost::system::error_code& error) {
    return base::Error{base::Errc::invalid, path + ": " + error.message()};
  };
  auto context = std::make_shared<ssl::context>(ssl::context::tls_server);
  boost::system::error_code error;
  context->set_options(ssl::context::default_workarounds | ssl::context::no_sslv2 |
                           ssl::context::no_sslv3 | ssl::context::no_tlsv1 |
                           ssl::context::no_tlsv1_1 | SSL_OP_NO_RENEGOTIATION,
                       error);
  if (error) return wrong(cert_path, error);
  context->use_certificate_chain_file(cert_path, error);
  if (error) return wrong(cert_path, error);
  context->use_private_key_file(key_path, ssl::context::pem, error);
  if (error) return wrong(key_path, error);
  if (SSL_CTX_check_private_key(context->native_handle()) != 1) {
    return base::Error{base::Errc::invalid, key_path + ": not the key of " + cert_path};
  }
  return context;
}

}  // namespace trialward::http
