# coypu_extension_pins(TARGET)   deps.lock's hashes of the DuckDB extensions as the table of lake/extension_pins.h
#
# One list, so that what ./dev unpacks and what the program trusts cannot differ.

function(coypu_extension_pins target)
  set(lock ${CMAKE_SOURCE_DIR}/deps.lock)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${lock})
  set(pattern "^unpack .* extensions/([a-z_]+)[.]duckdb_extension ([0-9a-f]+)$")
  file(STRINGS ${lock} lines REGEX "^unpack .*[.]duckdb_extension")
  set(COYPU_EXTENSION_PINS "")
  foreach(line IN LISTS lines)
    if(NOT line MATCHES "${pattern}")
      message(FATAL_ERROR "deps.lock: an extension needs the SHA-256 of its file: ${line}")
    endif()
    string(APPEND COYPU_EXTENSION_PINS "    {STR_INIT(\"${CMAKE_MATCH_1}\"), STR_INIT(\"${CMAKE_MATCH_2}\")},\n")
  endforeach()
  if(NOT COYPU_EXTENSION_PINS)
    message(FATAL_ERROR "deps.lock names no DuckDB extension")
  endif()
  set(generated ${CMAKE_BINARY_DIR}/embedded/extension_pins.c)
  configure_file(${CMAKE_SOURCE_DIR}/cmake/extension_pins.c.in ${generated} @ONLY)
  target_sources(${target} PRIVATE ${generated})
endfunction()
