#pragma once
// Functions of the C library, for scalars. Not from <math.h>, whose C++ form brings templates of the standard library
// (see csrc/README.md about sources compiled per instruction set).

#include "core/macros.h"

namespace dnnfast::math {

#if defined(__CUDACC__)
DNNFAST_HD float sin(float x) { return ::sinf(x); }
DNNFAST_HD float cos(float x) { return ::cosf(x); }
DNNFAST_HD float tan(float x) { return ::tanf(x); }
DNNFAST_HD float asin(float x) { return ::asinf(x); }
DNNFAST_HD float acos(float x) { return ::acosf(x); }
DNNFAST_HD float atan(float x) { return ::atanf(x); }
DNNFAST_HD float sinh(float x) { return ::sinhf(x); }
DNNFAST_HD float cosh(float x) { return ::coshf(x); }
DNNFAST_HD float asinh(float x) { return ::asinhf(x); }
DNNFAST_HD float acosh(float x) { return ::acoshf(x); }
DNNFAST_HD float atanh(float x) { return ::atanhf(x); }
DNNFAST_HD float floor(float x) { return ::floorf(x); }
DNNFAST_HD float ceil(float x) { return ::ceilf(x); }
DNNFAST_HD float rint(float x) { return ::rintf(x); }
DNNFAST_HD float pow(float a, float b) { return ::powf(a, b); }
DNNFAST_HD float fmod(float a, float b) { return ::fmodf(a, b); }
DNNFAST_HD float atan2(float a, float b) { return ::atan2f(a, b); }
#else
DNNFAST_HD float sin(float x) { return __builtin_sinf(x); }
DNNFAST_HD float cos(float x) { return __builtin_cosf(x); }
DNNFAST_HD float tan(float x) { return __builtin_tanf(x); }
DNNFAST_HD float asin(float x) { return __builtin_asinf(x); }
DNNFAST_HD float acos(float x) { return __builtin_acosf(x); }
DNNFAST_HD float atan(float x) { return __builtin_atanf(x); }
DNNFAST_HD float sinh(float x) { return __builtin_sinhf(x); }
DNNFAST_HD float cosh(float x) { return __builtin_coshf(x); }
DNNFAST_HD float asinh(float x) { return __builtin_asinhf(x); }
DNNFAST_HD float acosh(float x) { return __builtin_acoshf(x); }
DNNFAST_HD float atanh(float x) { return __builtin_atanhf(x); }
DNNFAST_HD float floor(float x) { return __builtin_floorf(x); }
DNNFAST_HD float ceil(float x) { return __builtin_ceilf(x); }
DNNFAST_HD float rint(float x) { return __builtin_rintf(x); }
DNNFAST_HD float pow(float a, float b) { return __builtin_powf(a, b); }
DNNFAST_HD float fmod(float a, float b) { return __builtin_fmodf(a, b); }
DNNFAST_HD float atan2(float a, float b) { return __builtin_atan2f(a, b); }
#endif

}  // namespace dnnfast::math
