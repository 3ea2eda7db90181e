#ifndef SUPPORT_UNIT_H
#define SUPPORT_UNIT_H

// cmocka.h behind the standard headers that it needs and does not include.

// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#endif
