// Numbers: each operation rounds once and says how, so that no flag of a compiler can change a bit.

typedef long long i64;

#define INFINITE __int_as_float(0x7f800000)

__device__ __forceinline__ float add(float a, float b) { return __fadd_rn(a, b); }
__device__ __forceinline__ float sub(float a, float b) { return __fsub_rn(a, b); }
__device__ __forceinline__ float mul(float a, float b) { return __fmul_rn(a, b); }
__device__ __forceinline__ float over(float a, float b) { return __fdiv_rn(a, b); }
__device__ __forceinline__ float fused(float a, float b, float c) { return __fmaf_rn(a, b, c); }
__device__ __forceinline__ double add(double a, double b) { return __dadd_rn(a, b); }
__device__ __forceinline__ double sub(double a, double b) { return __dsub_rn(a, b); }
__device__ __forceinline__ double mul(double a, double b) { return __dmul_rn(a, b); }
__device__ __forceinline__ double over(double a, double b) { return __ddiv_rn(a, b); }
__device__ __forceinline__ double fused(double a, double b, double c) { return __fma_rn(a, b, c); }
__device__ __forceinline__ float single(double x) { return __double2float_rn(x); }
__device__ __forceinline__ float magnitude(float x) { return __int_as_float(__float_as_int(x) & 0x7fffffff); }

__device__ __forceinline__ bool is_finite(float x) { return (__float_as_int(x) & 0x7f800000) != 0x7f800000; }
__device__ __forceinline__ bool is_finite(double x) {
    return (__double_as_longlong(x) & 0x7ff0000000000000) != 0x7ff0000000000000;
}

// e^r - 1 and n with x = n ln 2 + r, as numeric/elementwise/single.rs
__device__ __forceinline__ float reduced(float x, int &n) {
    const float round = 12582912.0f;
    float shifted = fused(x, 1.44269504088896340736f, round);
    float whole = sub(shifted, round);
    float r = fused(whole, 2.1219444e-4f, fused(whole, -0.6933594f, x));
    float p = 1.9875691e-4f;
    p = fused(p, r, 1.3981999e-3f);
    p = fused(p, r, 8.333452e-3f);
    p = fused(p, r, 4.1665796e-2f);
    p = fused(p, r, 1.6666665e-1f);
    p = fused(p, r, 0.5f);
    n = (int)((unsigned)__float_as_int(shifted) - (unsigned)__float_as_int(round));
    return fused(p, mul(r, r), r);
}

__device__ __forceinline__ float power_of_two(int n) { return __int_as_float((int)((unsigned)(n + 127) << 23)); }

__device__ inline float exponential(float x) {
    float low = x < -104.0f ? -104.0f : x;
    int n;
    float e = reduced(low > 89.0f ? 89.0f : low, n);
    // of NaN any n will do
    int half = n >> 1;
    return mul(mul(add(e, 1.0f), power_of_two(half)), power_of_two((int)((unsigned)n - (unsigned)half)));
}

__device__ inline float exp_m1_of_negative(float x) {
    int n;
    float e = reduced(x < -18.0f ? -18.0f : x, n);
    float power = power_of_two(n);
    return fused(e, power, sub(power, 1.0f));
}

__device__ inline float tangent(float x) {
    float squared = mul(x, x);
    float p = -2.7607685e-16f;
    p = fused(p, squared, 2.000188e-13f);
    p = fused(p, squared, -8.604672e-11f);
    p = fused(p, squared, 5.122297e-8f);
    p = fused(p, squared, 1.4857224e-5f);
    p = fused(p, squared, 6.3726193e-4f);
    p = fused(p, squared, 4.8935246e-3f);
    float q = 1.1982584e-6f;
    q = fused(q, squared, 1.1853471e-4f);
    q = fused(q, squared, 2.2684346e-3f);
    q = fused(q, squared, 4.893525e-3f);
    float near = mul(x, over(p, q));
    float one = __int_as_float(0x3f800000 | (__float_as_int(x) & (int)0x80000000));
    return magnitude(x) > 7.905311f ? one : near;
}

// ln(1 + x) for x >= 0, as numeric/elementwise/double.rs
__device__ inline double ln_1p(double x) {
    const i64 sqrt_half = 0x3fe6a09e00000000;
    double sum = add(1.0, x);
    double lost = sum < 1e16 ? over(sub(x, sub(sum, 1.0)), sum) : 0.0;
    i64 bits = __double_as_longlong(sum) + (0x3ff0000000000000 - sqrt_half);
    double k = (double)((i64)((unsigned long long)bits >> 52) - 1023);
    double f = sub(__longlong_as_double((bits & 0x000fffffffffffff) + sqrt_half), 1.0);
    double s = over(f, add(2.0, f));
    double z = mul(s, s), half = mul(mul(0.5, f), f);
    double w = mul(z, z);
    double even = mul(w, fused(w, fused(w, 0.15313837699209373, 0.22222198432149784), 0.3999999999940942));
    double odd = fused(w, 0.14798198605116586, 0.1818357216161805);
    odd = mul(z, fused(w, fused(w, odd, 0.2857142874366239), 0.6666666666666735));
    double low = add(mul(s, add(half, add(even, odd))), add(mul(k, 1.9082149292705877e-10), lost));
    double ln = sub(mul(k, 6.931471803691238e-1), sub(sub(half, low), f));
    return x < __longlong_as_double(0x7ff0000000000000) ? ln : x;
}

// The natural logarithm, as the crate libm 0.2.16 has it of musl and FreeBSD's e_log.c:
// Copyright (C) 1993 by Sun Microsystems, Inc. All rights reserved. Developed at SunSoft, a Sun Microsystems, Inc. business.
// Permission to use, copy, modify, and distribute this software is freely granted, provided that this notice is preserved.
__device__ inline double logarithm(double x) {
    i64 bits = __double_as_longlong(x);
    int k = 0;
    if (bits < 0x0010000000000000) {
        if (x == 0.0) return -__longlong_as_double(0x7ff0000000000000);
        if (bits < 0) return __longlong_as_double(0x7ff8000000000000);
        k = -54;
        bits = __double_as_longlong(mul(x, 18014398509481984.0));
    } else if (bits >= 0x7ff0000000000000) {
        return x;
    } else if (bits == 0x3ff0000000000000) {
        return 0.0;
    }
    unsigned high = (unsigned)((unsigned long long)bits >> 32) + (0x3ff00000u - 0x3fe6a09eu);
    k += (int)(high >> 20) - 0x3ff;
    high = (high & 0x000fffffu) + 0x3fe6a09eu;
    double f = sub(__longlong_as_double((i64)((unsigned long long)high << 32) | (bits & 0xffffffff)), 1.0);
    double half = mul(mul(0.5, f), f), s = over(f, add(2.0, f));
    double z = mul(s, s);
    double w = mul(z, z);
    double t1 = mul(w, add(3.999999999940941908e-01, mul(w, add(2.222219843214978396e-01, mul(w, 1.531383769920937332e-01)))));
    double t2 = mul(w, add(1.818357216161805012e-01, mul(w, 1.479819860510586591e-01)));
    t2 = mul(z, add(6.666666666666735130e-01, mul(w, add(2.857142874366239149e-01, t2))));
    double r = add(t2, t1), dk = (double)k;
    double sum = add(mul(s, add(half, r)), mul(dk, 1.90821492927058770002e-10));
    return add(add(sub(sum, half), f), mul(dk, 6.93147180369123816490e-01));
}
