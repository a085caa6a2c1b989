//! Double precision. The polynomial of eˣ is the beginning of its power series, whose next term is below half a unit in the last place;
//! that of ln(1 + x) is that of FreeBSD's `s_log1p.c`.

/// 1.5 · 2⁵²: added to a number below 2⁵¹, it leaves the nearest integer in the last bits.
const ROUND: f64 = 6_755_399_441_055_744.0;
/// ln 2 in two parts, the first with so few bits that n · LN2_HIGH is exact.
const LN2_HIGH: f64 = 6.931_471_803_691_238e-1;
const LN2_LOW: f64 = 1.908_214_929_270_587_7e-10;

/// eˣ, within 1 unit in the last place; 0 below −746, infinite above 709.79, NaN for NaN.
///
/// ```text
///   x = n·ln 2 + r, |r| ≤ ½ ln 2        eˣ = 2ⁿ·(1 + r + r²·P(r))        P(r) = 1/2! + r/3! + … + r¹¹/13!
/// ```
#[inline(always)]
pub fn exp(x: f64) -> f64 {
    let low = if x < -746.0 { -746.0 } else { x };
    let (e, n) = reduced(if low > 710.0 { 710.0 } else { low });
    // 2ⁿ in two factors, so that the result may be subnormal or infinite
    let half = half_of(n);
    (e + 1.0) * power_of_two(half) * power_of_two(n.wrapping_sub(half))
}

/// eˣ − 1, within 2 units in the last place; −1 far below 0, infinite above 709.79, NaN for NaN.
///
/// ```text
///   eˣ − 1 = 2ⁿ·(r + r²·P(r)) + (2ⁿ − 1)        x, n, r and P as for eˣ
/// ```
#[inline(always)]
pub fn exp_m1(x: f64) -> f64 {
    let low = if x < -38.0 { -38.0 } else { x };
    let (e, n) = reduced(if low > 710.0 { 710.0 } else { low });
    // in two factors again, and without them where n is 0: nothing is lost near 0
    let half = half_of(n);
    let (first, second) = (power_of_two(half), power_of_two(n.wrapping_sub(half)));
    let one = power_of_two(half.wrapping_sub(n));
    let all = e.mul_add(first, first - one) * second;
    if x == 0.0 { x } else { all }
}

/// eˣ − 1 for x ≤ 0, with fewer operations and the bits of [`exp_m1`]; +0 for −0, NaN for NaN.
#[inline(always)]
pub fn exp_m1_of_negative(x: f64) -> f64 {
    let (e, n) = reduced(if x < -38.0 { -38.0 } else { x });
    let power = power_of_two(n);
    e.mul_add(power, power - 1.0)
}

/// eʳ − 1 and n with x = n·ln 2 + r, for x from −746 to 710.
#[inline(always)]
fn reduced(x: f64) -> (f64, i64) {
    let shifted = x.mul_add(std::f64::consts::LOG2_E, ROUND);
    let n = shifted - ROUND;
    let r = n.mul_add(-LN2_LOW, n.mul_add(-LN2_HIGH, x));
    let p = 1.0 / 6_227_020_800f64;
    let p = p.mul_add(r, 1.0 / 479_001_600.0);
    let p = p.mul_add(r, 1.0 / 39_916_800.0);
    let p = p.mul_add(r, 1.0 / 3_628_800.0);
    let p = p.mul_add(r, 1.0 / 362_880.0);
    let p = p.mul_add(r, 1.0 / 40_320.0);
    let p = p.mul_add(r, 1.0 / 5_040.0);
    let p = p.mul_add(r, 1.0 / 720.0);
    let p = p.mul_add(r, 1.0 / 120.0);
    let p = p.mul_add(r, 1.0 / 24.0);
    let p = p.mul_add(r, 1.0 / 6.0);
    let p = p.mul_add(r, 0.5);
    (p.mul_add(r * r, r), (shifted.to_bits() as i64).wrapping_sub(ROUND.to_bits() as i64))
}

/// ⌊n/2⌋ for n ≥ −2048, by a shift that every CPU has for vectors.
#[inline(always)]
fn half_of(n: i64) -> i64 {
    (n.wrapping_add(2048) as u64 >> 1) as i64 - 1024
}

/// 2ⁿ for −1022 ≤ n ≤ 1023.
#[inline(always)]
fn power_of_two(n: i64) -> f64 {
    f64::from_bits((n.wrapping_add(1023) as u64) << 52)
}

/// tanh x, within 3 units in the last place; ±1 far out, NaN for NaN.
///
/// ```text
///   −t / (2 + t)  with t = e⁻²ˣ − 1        for x ≥ 0; tanh(−x) = −tanh x
/// ```
#[inline(always)]
pub fn tanh(x: f64) -> f64 {
    let t = exp_m1_of_negative(-2.0 * x.abs());
    (-t / (2.0 + t)).copysign(x)
}

/// ln(1 + x) for x ≥ 0, within 2 units in the last place.
///
/// ```text
///   1 + x = 2ᵏ·(1 + f), √½ ≤ 1 + f < √2      ln(1 + f) = f − (f²/2 − s·(f²/2 + R(s²)))  with s = f / (2 + f)
/// ```
#[inline(always)]
pub fn ln_1p(x: f64) -> f64 {
    let sum = 1.0 + x;
    // what the sum lost, as a share of it; nothing where x is infinite or much larger than 1
    let lost = if sum < 1e16 { (x - (sum - 1.0)) / sum } else { 0.0 };
    let bits = sum.to_bits().wrapping_add(0x3ff0_0000_0000_0000 - SQRT_HALF);
    let k = ((bits >> 52) as i64 - 1023) as f64;
    let f = f64::from_bits((bits & 0x000f_ffff_ffff_ffff) + SQRT_HALF) - 1.0;
    let s = f / (2.0 + f);
    let (z, half) = (s * s, 0.5 * f * f);
    let w = z * z;
    let even = w * w.mul_add(w.mul_add(0.153_138_376_992_093_73, 0.222_221_984_321_497_84), 0.399_999_999_994_094_2);
    let odd = w.mul_add(0.147_981_986_051_165_86, 0.181_835_721_616_180_5);
    let odd = z * w.mul_add(w.mul_add(odd, 0.285_714_287_436_623_9), 0.666_666_666_666_673_5);
    let ln = k * LN2_HIGH - ((half - (s * (half + (even + odd)) + (k * LN2_LOW + lost))) - f);
    if x < f64::INFINITY { ln } else { x }
}

/// The bits of √½, rounded down to what the higher word has.
const SQRT_HALF: u64 = 0x3fe6_a09e_0000_0000;
