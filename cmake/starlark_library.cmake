# coypu_starlark_library()       the interpreter as a library of its own, for other programs to embed
# coypu_starlark_install_test()  builds examples/embed.c against an installed tree and runs it
#
# libcoypu_starlark.a holds one object: src/starlark with what it needs of base/ and yyjson, linked
# together, in which only star_* is visible.  Names such as str_find stay its own affair.
#
#     cmake --install build/release --component starlark --prefix /usr/local

# What src/starlark includes of base/, and what those include.
set(COYPU_STARLARK_BASE "arena|error|list|map|number|str|suggest|text")

function(coypu_starlark_library)
  include(GNUInstallDirs)
  find_program(COYPU_OBJCOPY NAMES objcopy llvm-objcopy-19 REQUIRED)
  set(object ${CMAKE_BINARY_DIR}/coypu_starlark.o)
  set(library ${CMAKE_BINARY_DIR}/libcoypu_starlark.a)
  set(parts $<TARGET_OBJECTS:starlark> $<TARGET_OBJECTS:yyjson>
      "$<FILTER:$<TARGET_OBJECTS:base>,INCLUDE,/(${COYPU_STARLARK_BASE})[.]c[.]o>")
  add_custom_command(
    OUTPUT ${library}
    COMMAND ${CMAKE_COMMAND} -E rm -f ${library}
    COMMAND ${CMAKE_LINKER} -r -o ${object} ${parts}
    COMMAND ${COYPU_OBJCOPY} --wildcard --keep-global-symbol=star_* ${object}
    COMMAND ${CMAKE_AR} qc ${library} ${object}
    COMMAND ${CMAKE_RANLIB} ${library}
    DEPENDS starlark base yyjson ${parts}
    COMMAND_EXPAND_LISTS VERBATIM)
  add_custom_target(coypu_starlark ALL DEPENDS ${library})

  # The prefix as seen from the .pc file, so that the installed tree can be moved.
  string(REGEX REPLACE "[^/]+" ".." up ${CMAKE_INSTALL_LIBDIR})
  set(COYPU_STARLARK_PREFIX "\${pcfiledir}/../${up}")
  configure_file(${CMAKE_SOURCE_DIR}/cmake/coypu-starlark.pc.in ${CMAKE_BINARY_DIR}/coypu-starlark.pc @ONLY)
  install(FILES ${library} DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT starlark)
  install(FILES ${CMAKE_BINARY_DIR}/coypu-starlark.pc
          DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT starlark)
  foreach(header starlark syntax standard)
    install(FILES ${CMAKE_SOURCE_DIR}/src/starlark/${header}.h
            DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/coypu-starlark/starlark COMPONENT starlark)
  endforeach()
endfunction()

function(coypu_starlark_install_test)
  add_test(NAME starlark/install COMMAND ${CMAKE_SOURCE_DIR}/tests/starlark/install.sh
           ${CMAKE_BINARY_DIR} ${CMAKE_SOURCE_DIR}/examples/embed.c)
  set(flags ${CMAKE_C_FLAGS})
  if(COYPU_SANITIZE)
    set(flags "${flags} -fsanitize=${COYPU_SANITIZE}")
  endif()
  set_tests_properties(starlark/install PROPERTIES
    ENVIRONMENT "CC=${CMAKE_C_COMPILER};CFLAGS=${flags};CMAKE=${CMAKE_COMMAND}" TIMEOUT 120)
endfunction()
