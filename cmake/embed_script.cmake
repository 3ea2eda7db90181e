# Run by coypu_embed at build time.
set(bytes "")
foreach(input IN LISTS INPUTS)
  file(READ ${input} content HEX)
  string(APPEND bytes ${content})
endforeach()
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," array "${bytes}")
string(REGEX REPLACE "((0x..,){16})" "\\1\n" array "${array}")
file(WRITE ${OUTPUT}
"#include \"base/str.h\"
extern const str ${SYMBOL};
static const unsigned char bytes[] = {
${array}
};
const str ${SYMBOL} = {(const char *)bytes, sizeof(bytes)};
")
