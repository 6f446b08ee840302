// The files of web/ and the patient's page, compiled into the program by tools/embed.py, so that
// one executable is all that is installed. They are constant and live as long as the program; any
// thread may read them.
#pragma once

#include <span>
#include <string_view>

namespace trialward::api {

struct WebFile {
  // "/" for index.html, "/site" for site.html, "/NAME" for any other; "/p", "/p/assets/NAME"
  std::string_view path;
  std::string_view content_type;
  std::string_view bytes;
  std::string_view gzip;  // the same compressed; empty when that is not smaller
  std::string_view etag;  // with its quotes, as it stands in the header
  std::string_view gzip_etag;
};

// Few enough to be searched one by one.
std::span<const WebFile> web_files();

}  // namespace trialward::api
