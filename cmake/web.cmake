# The pages of web/ are compiled into the program: one executable is all that is installed.
# Each file becomes a byte array; web_files() in src/api/web_files.h finds it by its path.
file(GLOB web_files CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/web/*)
set(web_files_cc ${CMAKE_BINARY_DIR}/web_files.cc)
add_custom_command(
  OUTPUT ${web_files_cc}
  COMMAND ${PYTHON3} ${CMAKE_SOURCE_DIR}/tools/embed.py ${web_files_cc} ${web_files}
  DEPENDS ${web_files} ${CMAKE_SOURCE_DIR}/tools/embed.py)
target_sources(api PRIVATE ${web_files_cc})
