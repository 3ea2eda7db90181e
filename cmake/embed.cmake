# coypu_embed(TARGET SYMBOL FILES …): the files, one after another, as `const str SYMBOL` in TARGET.
#
# The bytes become a C array: a literal of that length is more than the standard promises.
function(coypu_embed target symbol)
  set(output ${CMAKE_BINARY_DIR}/embedded/${symbol}.c)
  list(TRANSFORM ARGN PREPEND ${CMAKE_SOURCE_DIR}/ OUTPUT_VARIABLE inputs)
  add_custom_command(
    OUTPUT ${output}
    COMMAND ${CMAKE_COMMAND} -DSYMBOL=${symbol} "-DINPUTS=${inputs}" -DOUTPUT=${output}
            -P ${CMAKE_SOURCE_DIR}/cmake/embed_script.cmake
    DEPENDS ${inputs} ${CMAKE_SOURCE_DIR}/cmake/embed_script.cmake
    VERBATIM)
  target_sources(${target} PRIVATE ${output})
endfunction()
