
static real fused(real a, real b, real c) { return fmaf(a, b, c); }

static real power_of_two(int32_t n) {
    uint32_t bits = ((uint32_t)n + 127u) << 23;
    real x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* exp(r) - 1, and n with x = n ln 2 + r, for x from -104 to 89 */
static real reduced(real x, int32_t *n) {
    const real round = 12582912.0f;
    real shifted = fused(x, 0x1.715476p+0f, round), whole = shifted - round;
    uint32_t bits;
    memcpy(&bits, &shifted, sizeof bits);
    real r = fused(whole, 2.1219444e-4f, fused(whole, -0.6933594f, x));
    real p = 1.9875691e-4f;
    p = fused(p, r, 1.3981999e-3f);
    p = fused(p, r, 8.333452e-3f);
    p = fused(p, r, 4.1665796e-2f);
    p = fused(p, r, 1.6666665e-1f);
    p = fused(p, r, 0.5f);
    *n = (int32_t)(bits - 0x4b400000u); /* the bits of round */
    return fused(p, r * r, r);
}

static inline real exponential(real x) {
    int32_t n;
    real low = x < -104.0f ? -104.0f : x;
    real e = reduced(low > 89.0f ? 89.0f : low, &n);
    int32_t half = n >= 0 ? n / 2 : -((1 - n) / 2);
    return (e + 1.0f) * power_of_two(half) * power_of_two(n - half);
}

/* exp(x) - 1 for x <= 0 */
static inline real exponential_less_one(real x) {
    int32_t n;
    real e = reduced(x < -18.0f ? -18.0f : x, &n), power = power_of_two(n);
    return fused(e, power, power - 1.0f);
}

static inline real hyperbolic_tangent(real x) {
    real squared = x * x, p = -2.7607685e-16f, q = 1.1982584e-6f;
    p = fused(p, squared, 2.000188e-13f);
    p = fused(p, squared, -8.604672e-11f);
    p = fused(p, squared, 5.122297e-8f);
    p = fused(p, squared, 1.4857224e-5f);
    p = fused(p, squared, 6.3726193e-4f);
    p = fused(p, squared, 4.8935246e-3f);
    q = fused(q, squared, 1.1853471e-4f);
    q = fused(q, squared, 2.2684346e-3f);
    q = fused(q, squared, 4.893525e-3f);
    if (x > 7.905311f) return 1.0f;
    if (x < -7.905311f) return -1.0f;
    return x * (p / q);
}
