// SHA-256 of the unpacked extensions of DuckDB 1.5.5 for linux-x64 (deps.lock names the packages).

#include "lake/extension_pins.h"

#include "base/attributes.h"

const struct extension_pin extension_pins[] = {
    {STR_INIT("ducklake"),
     STR_INIT("e51bf9e8d933d0e83780ae096455501b542cf962569a2ce5613532d702c08302")},
    {STR_INIT("sqlite_scanner"),
     STR_INIT("693d2bf90779df23ca5ebe0688639b9adfc11c2d55ae3466b33e28be16afaa5e")},
    {STR_INIT("postgres_scanner"),
     STR_INIT("b1ced4cfc6311313e117c2afb3eac76508718778dde0716421503c7dbfb5605c")},
    {STR_INIT("httpfs"),
     STR_INIT("887c392b1e49128d11667c81e3698d8b00dfdeb456771acf66d05a0f74f7b7d8")},
};
const size_t extension_pin_count = ARRAY_COUNT(extension_pins);
