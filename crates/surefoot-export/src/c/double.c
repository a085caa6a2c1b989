
static real fused(real a, real b, real c) { return fma(a, b, c); }

static real power_of_two(int64_t n) {
    uint64_t bits = ((uint64_t)n + 1023u) << 52;
    real x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* exp(r) - 1, and n with x = n ln 2 + r, for x from -746 to 710 */
static real reduced(real x, int64_t *n) {
    const real round = 6755399441055744.0;
    real shifted = fused(x, 0x1.71547652b82fep+0, round), whole = shifted - round;
    uint64_t bits;
    memcpy(&bits, &shifted, sizeof bits);
    real r = fused(whole, -1.9082149292705877e-10, fused(whole, -6.931471803691238e-1, x));
    real p = 1.0 / 6227020800.0;
    p = fused(p, r, 1.0 / 479001600.0);
    p = fused(p, r, 1.0 / 39916800.0);
    p = fused(p, r, 1.0 / 3628800.0);
    p = fused(p, r, 1.0 / 362880.0);
    p = fused(p, r, 1.0 / 40320.0);
    p = fused(p, r, 1.0 / 5040.0);
    p = fused(p, r, 1.0 / 720.0);
    p = fused(p, r, 1.0 / 120.0);
    p = fused(p, r, 1.0 / 24.0);
    p = fused(p, r, 1.0 / 6.0);
    p = fused(p, r, 0.5);
    *n = (int64_t)(bits - 0x4338000000000000u); /* the bits of round */
    return fused(p, r * r, r);
}

static inline real exponential(real x) {
    int64_t n;
    real low = x < -746.0 ? -746.0 : x;
    real e = reduced(low > 710.0 ? 710.0 : low, &n);
    int64_t half = (int64_t)(((uint64_t)n + 2048u) >> 1) - 1024;
    return (e + 1.0) * power_of_two(half) * power_of_two(n - half);
}

/* exp(x) - 1 for x <= 0 */
static inline real exponential_less_one(real x) {
    int64_t n;
    real e = reduced(x < -38.0 ? -38.0 : x, &n), power = power_of_two(n);
    return fused(e, power, power - 1.0);
}

static inline real hyperbolic_tangent(real x) {
    real t = exponential_less_one(-2.0 * fabs(x)), tanh = -t / (2.0 + t);
    return copysign(tanh, x);
}
