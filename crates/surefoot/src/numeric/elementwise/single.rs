//! Single precision. The polynomials are those of the Cephes library for eˣ (S. L. Moshier, `expf.c`) and of the Eigen library for
//! tanh (`generic_fast_tanh_float`).

/// 1.5 · 2²³: added to a number below 2²², it leaves the nearest integer in the last bits.
const ROUND: f32 = 12_582_912.0;
/// ln 2 in two parts, the first with so few bits that n · LN2_HIGH is exact.
const LN2_HIGH: f32 = 0.693_359_4;
const LN2_LOW: f32 = -2.121_944_4e-4;

/// eˣ, within 1.5 units in the last place; 0 below −104, infinite above 88.73, NaN for NaN.
///
/// ```text
///   x = n·ln 2 + r, |r| ≤ ½ ln 2        eˣ = 2ⁿ·(1 + r + r²·P(r))
/// ```
#[inline(always)]
pub fn exp(x: f32) -> f32 {
    let low = if x < -104.0 { -104.0 } else { x };
    let (e, n) = reduced(if low > 89.0 { 89.0 } else { low });
    // 2ⁿ in two factors, so that the result may be subnormal or infinite
    let half = n >> 1;
    (e + 1.0) * power_of_two(half) * power_of_two(n.wrapping_sub(half))
}

/// eˣ − 1, within 2 units in the last place; −1 far below 0, infinite above 88.73, NaN for NaN.
///
/// ```text
///   eˣ − 1 = 2ⁿ·(r + r²·P(r)) + (2ⁿ − 1)        x, n, r and P as for eˣ
/// ```
#[inline(always)]
pub fn exp_m1(x: f32) -> f32 {
    let low = if x < -18.0 { -18.0 } else { x };
    let (e, n) = reduced(if low > 89.0 { 89.0 } else { low });
    // in two factors again, and without them where n is 0: nothing is lost near 0
    let half = n >> 1;
    let (first, second) = (power_of_two(half), power_of_two(n.wrapping_sub(half)));
    let one = power_of_two(half.wrapping_sub(n));
    let all = e.mul_add(first, first - one) * second;
    if x == 0.0 { x } else { all }
}

/// eˣ − 1 for x ≤ 0, with fewer operations and the bits of [`exp_m1`]; +0 for −0, NaN for NaN.
#[inline(always)]
pub fn exp_m1_of_negative(x: f32) -> f32 {
    let (e, n) = reduced(if x < -18.0 { -18.0 } else { x });
    let power = power_of_two(n);
    e.mul_add(power, power - 1.0)
}

/// eʳ − 1 and n with x = n·ln 2 + r, for x from −104 to 89.
#[inline(always)]
fn reduced(x: f32) -> (f32, i32) {
    let shifted = x.mul_add(std::f32::consts::LOG2_E, ROUND);
    let n = shifted - ROUND;
    let r = n.mul_add(-LN2_LOW, n.mul_add(-LN2_HIGH, x));
    let p = 1.987_569_1e-4f32;
    let p = p.mul_add(r, 1.398_199_9e-3);
    let p = p.mul_add(r, 8.333_452e-3);
    let p = p.mul_add(r, 4.166_579_6e-2);
    let p = p.mul_add(r, 1.666_666_5e-1);
    let p = p.mul_add(r, 0.5);
    (p.mul_add(r * r, r), (shifted.to_bits() as i32).wrapping_sub(ROUND.to_bits() as i32))
}

/// 2ⁿ for −126 ≤ n ≤ 127.
#[inline(always)]
fn power_of_two(n: i32) -> f32 {
    f32::from_bits((n.wrapping_add(127) as u32) << 23)
}

/// tanh x, within 5.5 units in the last place; ±1 far out, NaN for NaN.
///
/// ```text
///   x·P(x²) / Q(x²),  P of degree 6 and Q of degree 3
/// ```
#[inline(always)]
pub fn tanh(x: f32) -> f32 {
    let squared = x * x;
    let p = -2.760_768_5e-16f32;
    let p = p.mul_add(squared, 2.000_188e-13);
    let p = p.mul_add(squared, -8.604_672e-11);
    let p = p.mul_add(squared, 5.122_297e-8);
    let p = p.mul_add(squared, 1.485_722_4e-5);
    let p = p.mul_add(squared, 6.372_619_3e-4);
    let p = p.mul_add(squared, 4.893_524_6e-3);
    let q = 1.198_258_4e-6f32;
    let q = q.mul_add(squared, 1.185_347_1e-4);
    let q = q.mul_add(squared, 2.268_434_6e-3);
    let q = q.mul_add(squared, 4.893_525e-3);
    let near = x * (p / q); // in this order, for the smallest x
    if x.abs() > 7.905_311 { 1f32.copysign(x) } else { near }
}
