# Everything comes from Debian packages, listed in tools/packages.txt.
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(Boost 1.81 REQUIRED)
find_package(OpenSSL 3 REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(ZLIB REQUIRED)
find_package(CURL REQUIRED)
find_package(spdlog REQUIRED)
find_package(simdjson REQUIRED)
find_package(date REQUIRED)
find_package(CLI11 REQUIRED)
find_package(mimalloc 2.0 REQUIRED)
find_package(prometheus-cpp REQUIRED)
pkg_check_modules(SODIUM REQUIRED IMPORTED_TARGET libsodium)
pkg_check_modules(PQ REQUIRED IMPORTED_TARGET libpq)
pkg_check_modules(TOMLPLUSPLUS REQUIRED IMPORTED_TARGET tomlplusplus)

add_library(tomlplusplus INTERFACE)
target_link_libraries(tomlplusplus INTERFACE PkgConfig::TOMLPLUSPLUS)

# Debian's own interpreter first: Debian's pytest belongs to it, not to one further up the PATH.
find_program(PYTHON3 python3 PATHS /usr/bin NO_DEFAULT_PATH)
find_program(PYTHON3 python3 REQUIRED)
