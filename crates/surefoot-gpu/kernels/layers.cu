// Activation functions and losses: activation.rs and loss.rs.

enum { SIGMOID, TANH, IDENTITY, RELU, LEAKY_RELU, SELU, SOFTMAX, EXP };
enum { SQUARED_ERROR, CROSS_ENTROPY, POISSON };

#define SELU_SCALE 1.0507009873554805f
#define SELU_SCALE_ALPHA 1.7580993408473766f
#define LEAK 0.01f

// a = f(z), but for softmax, which is of all units together
__device__ inline float activate(int activation, float z) {
    switch (activation) {
    case SIGMOID: {
        float e = exponential(-magnitude(z));
        return over(z < 0.0f ? e : 1.0f, add(1.0f, e)); // (A1)
    }
    case TANH: return tangent(z); // (A2)
    case RELU: return z <= 0.0f ? 0.0f : z; // (A4)
    case LEAKY_RELU: return z <= 0.0f ? mul(LEAK, z) : z; // (A5)
    case SELU: return z >= 0.0f ? mul(SELU_SCALE, z) : mul(SELU_SCALE_ALPHA, exp_m1_of_negative(z)); // (A6)
    case EXP: return exponential(z); // (A8)
    default: return z; // (A3)
    }
}

// delta times f', but for softmax
__device__ inline float times_derivative(int activation, float delta, float a) {
    switch (activation) {
    case SIGMOID: return mul(delta, mul(a, sub(1.0f, a))); // (A1)
    case TANH: return mul(delta, sub(1.0f, mul(a, a))); // (A2)
    case RELU: return mul(delta, a > 0.0f ? 1.0f : 0.0f); // (A4)
    case LEAKY_RELU: return mul(delta, a > 0.0f ? 1.0f : LEAK); // (A5)
    case SELU: return mul(delta, a > 0.0f ? SELU_SCALE : add(a, SELU_SCALE_ALPHA)); // (A6)
    case EXP: return mul(delta, a); // (A8)
    default: return delta; // (A3)
    }
}

// Of the lanes i takes i + 8, then i + 4, i + 2 and i + 1.
template <class T, class Join> __device__ __forceinline__ T joined(T (&lanes)[16], Join join) {
#pragma unroll
    for (int half = 8; half > 0; half /= 2)
#pragma unroll
        for (int i = 0; i < half; i++) lanes[i] = join(lanes[i], lanes[i + half]);
    return lanes[0];
}

// Terms of units joined from a start on: of up to 16 one after the other, of more in 16 lanes.
template <class Term, class Join> __device__ inline float over_units(int units, float start, Term term, Join join) {
    if (units <= 16) {
        float all = start;
        for (int k = 0; k < units; k++) all = join(all, term(k));
        return all;
    }
    float lanes[16];
#pragma unroll
    for (int i = 0; i < 16; i++) lanes[i] = start;
    for (int first = 0; first < units; first += 16)
#pragma unroll
        for (int i = 0; i < 16; i++)
            if (first + i < units) lanes[i] = join(lanes[i], term(first + i));
    return joined(lanes, join);
}

struct Larger {
    __device__ float operator()(float a, float b) const { return b > a ? b : a; }
};
struct Plus {
    template <class T> __device__ T operator()(T a, T b) const { return add(a, b); }
};

// Softmax of the weighted sums z of an example, written over a.  (A7)
__device__ inline void softmax(const float *z, float *a, int units) {
    float largest = over_units(units, -INFINITE, [&](int k) { return z[k]; }, Larger());
    for (int k = 0; k < units; k++) a[k] = exponential(sub(z[k], largest));
    float sum = over_units(units, 0.0f, [&](int k) { return a[k]; }, Plus());
    for (int k = 0; k < units; k++) a[k] = over(a[k], sum);
}

// Targets, smoothed where there is something to smooth.  (L4)
struct Targets {
    const float *y;
    bool smooths;
    double rest, share;
    __device__ float operator()(int k) const { return smooths ? single(add(mul(rest, (double)y[k]), share)) : y[k]; }
};

// J(W,b; x,y) of an example.
__device__ inline double loss_of(int loss, int activation, const float *z, const float *a, Targets y, int units, double limit) {
    double sum = 0.0;
    if (loss == SQUARED_ERROR) { // (L1)
        for (int k = 0; k < units; k++) {
            double difference = (double)sub(a[k], y(k));
            sum = fused(difference, difference, sum);
        }
        return mul(sum, 0.5);
    }
    if (loss == POISSON) { // (L5)
        for (int k = 0; k < units; k++) {
            double target = (double)y(k);
            double least = target > 0.0 ? mul(target, logarithm(target)) : 0.0;
            sum = add(sum, add(sub(least, mul(target, add((double)z[k], 1.0))), (double)a[k]));
        }
        return sum;
    }
    if (activation != SOFTMAX) { // (L2)
        for (int k = 0; k < units; k++) {
            float positive = z[k] > 0.0f ? z[k] : 0.0f;
            double logarithm_of_rest = ln_1p((double)exponential(-magnitude(z[k])));
            double term = add((double)sub(positive, mul(z[k], y(k))), logarithm_of_rest);
            sum = add(sum, term > limit ? limit : term); // (L6)
        }
        return sum;
    }
    float top = -INFINITE, top_share = 0.0f, others = 0.0f;
    for (int k = 0; k < units; k++) {
        bool is_more = z[k] > top;
        others = add(others, is_more ? top_share : a[k]);
        top_share = is_more ? a[k] : top_share;
        top = is_more ? z[k] : top;
    }
    double log_others = ln_1p(over((double)others, (double)top_share));
    for (int k = 0; k < units; k++) { // (L3)
        double term = add((double)sub(top, z[k]), log_others);
        sum = add(sum, mul((double)y(k), term > limit ? limit : term)); // (L6)
    }
    return sum;
}

// Error terms of the outputs of an example.  (B1)
__device__ inline void deltas_of(int loss, int activation, const float *a, Targets y, int units, float *delta) {
    float sum = 1.0f;
    if (loss == CROSS_ENTROPY && activation == SOFTMAX) {
        sum = 0.0f;
        for (int k = 0; k < units; k++) sum = add(sum, y(k));
    }
    for (int k = 0; k < units; k++) delta[k] = sub(mul(a[k], sum), y(k)); // (L2) (L3) (L5)
    if (loss != SQUARED_ERROR) return;
    if (activation == SOFTMAX) {
        float mean = over_units(units, 0.0f, [&](int k) { return mul(a[k], delta[k]); }, Plus()); // (A7)
        for (int k = 0; k < units; k++) delta[k] = mul(a[k], sub(delta[k], mean));
    } else {
        for (int k = 0; k < units; k++) delta[k] = times_derivative(activation, delta[k], a[k]); // (L1)
    }
}
