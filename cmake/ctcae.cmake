# The criteria are tables (src/ctcae/tables/), compiled into the program: texts() in
# src/ctcae/tables.h finds each by its name.
file(GLOB ctcae_tables CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/ctcae/tables/*.toml)
set(ctcae_tables_cc ${CMAKE_BINARY_DIR}/ctcae_tables.cc)
add_custom_command(
  OUTPUT ${ctcae_tables_cc}
  COMMAND ${PYTHON3} ${CMAKE_SOURCE_DIR}/tools/embed_text.py ${ctcae_tables_cc} ctcae/tables.h
    ctcae::texts ${ctcae_tables}
  DEPENDS ${ctcae_tables} ${CMAKE_SOURCE_DIR}/tools/embed_text.py
    ${CMAKE_SOURCE_DIR}/tools/embed.py)
target_sources(ctcae PRIVATE ${ctcae_tables_cc})
