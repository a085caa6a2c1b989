
static void square(double x, double *high, double *low) {
    double c = x * 134217729.0, h = x - c + c, l = x - h;
    *high = x * x;
    *low = h * h - *high + 2.0 * h * l + l * l;
}

static int exponent(double x) {
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return (int)(bits >> 52 & 0x7ff);
}

/* the square root of 1 + y^2, where no square overflows */
static double hypotenuse_with_one(double y) {
    double a = fabs(y), b = 1.0, z = 1.0, ha, la, hb, lb;
    if (a < b) { b = a; a = 1.0; }
    if (exponent(a) == 0x7ff || b == 0.0) return a;
    if (exponent(a) - exponent(b) > 64) return a + b;
    if (exponent(a) > 0x3ff + 510) { z = 0x1p700; a *= 0x1p-700; b *= 0x1p-700; }
    else if (exponent(b) < 0x3ff - 450) { z = 0x1p-700; a *= 0x1p700; b *= 0x1p700; }
    square(a, &ha, &la);
    square(b, &hb, &lb);
    return z * sqrt(lb + la + hb + ha);
}
