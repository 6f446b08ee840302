# The pages of web/ are compiled into the program: one executable is all that is installed.
# Each file becomes a byte array; web_files() in src/api/web_files.h finds it by its path.
#
# The patient's page (web/patient/) is TypeScript: Vite makes build/web/dist of it, which is
# embedded at /p. All presets share node_modules and dist; tools/build_patient.sh does nothing that
# is done.
file(GLOB web_files CONFIGURE_DEPENDS LIST_DIRECTORIES false ${CMAKE_SOURCE_DIR}/web/*)

set(PATIENT ${CMAKE_SOURCE_DIR}/web/patient)
set(PATIENT_DIST ${CMAKE_SOURCE_DIR}/build/web/dist)
file(GLOB_RECURSE patient_sources CONFIGURE_DEPENDS ${PATIENT}/src/* ${PATIENT}/public/*)
set(patient_stamp ${CMAKE_BINARY_DIR}/patient.stamp)
add_custom_command(
  OUTPUT ${patient_stamp}
  COMMAND ${CMAKE_SOURCE_DIR}/tools/build_patient.sh
  COMMAND ${CMAKE_COMMAND} -E touch ${patient_stamp}
  DEPENDS ${patient_sources} ${PATIENT}/index.html ${PATIENT}/package.json
    ${PATIENT}/package-lock.json ${PATIENT}/tsconfig.json ${PATIENT}/vite.config.ts
    ${CMAKE_SOURCE_DIR}/tools/build_patient.sh
  COMMENT "Building the patient's page")

set(web_files_cc ${CMAKE_BINARY_DIR}/web_files.cc)
add_custom_command(
  OUTPUT ${web_files_cc}
  COMMAND ${PYTHON3} ${CMAKE_SOURCE_DIR}/tools/embed.py ${web_files_cc} ${web_files}
    /p=${PATIENT_DIST}
  DEPENDS ${web_files} ${patient_stamp} ${CMAKE_SOURCE_DIR}/tools/embed.py)
target_sources(api PRIVATE ${web_files_cc})
