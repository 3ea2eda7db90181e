# The warnings that every line of ours compiles without, once; all are errors.
set(COYPU_WARNINGS -Werror -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wcast-qual
    -Wcast-align -Wformat=2 -Wformat-signedness -Wmissing-prototypes -Wstrict-prototypes
    -Wold-style-definition -Wpointer-arith -Wwrite-strings -Wundef -Wvla -Wswitch-enum
    -Wimplicit-fallthrough -Wnull-dereference -Wdouble-promotion)
if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
  list(APPEND COYPU_WARNINGS -Wduplicated-cond -Wduplicated-branches -Wlogical-op -Wjump-misses-init)
  if(COYPU_SANITIZE)
    # The sanitizers' instrumentation makes gcc see NULL where there is none.
    list(REMOVE_ITEM COYPU_WARNINGS -Wnull-dereference)
  endif()
else()
  list(APPEND COYPU_WARNINGS -Wmissing-variable-declarations)
endif()
