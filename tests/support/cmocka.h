#ifndef SUPPORT_CMOCKA_H
#define SUPPORT_CMOCKA_H

// cmocka with the standard headers that it wants before it.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#endif
