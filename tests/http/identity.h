// A certificate for localhost that signs itself, for the tests of TLS.
#pragma once

#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <cstdio>
#include <string>

#include "http/server.h"

namespace trialward::http {

// A self-signed certificate and its key, in two files.
struct Identity {
  explicit Identity(const std::string& name)
      : cert_path(::testing::TempDir() + name + "-cert-" + std::to_string(::getpid())),
        key_path(::testing::TempDir() + name + "-key-" + std::to_string(::getpid())) {
    EVP_PKEY* key = EVP_EC_gen("P-256");
    X509* cert = X509_new();
    ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
    X509_gmtime_adj(X509_getm_notBefore(cert), -3600);
    X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
    X509_set_pubkey(cert, key);
    X509_NAME* subject = X509_get_subject_name(cert);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>("localhost"), -1, -1, 0);
    X509_set_issuer_name(cert, subject);
    X509_sign(cert, key, EVP_sha256());
    std::FILE* file = std::fopen(cert_path.c_str(), "w");
    PEM_write_X509(file, cert);
    std::fclose(file);
    file = std::fopen(key_path.c_str(), "w");
    PEM_write_PrivateKey(file, key, nullptr, nullptr, 0, nullptr, nullptr);
    std::fclose(file);
    X509_free(cert);
    EVP_PKEY_free(key);
  }
  ~Identity() {
    std::remove(cert_path.c_str());
    std::remove(key_path.c_str());
  }
  ServerOptions options() const {
    ServerOptions result;
    result.tls_cert_path = cert_path;
    result.tls_key_path = key_path;
    return result;
  }

  const std::string cert_path;
  const std::string key_path;
};

}  // namespace trialward::http
