// From sums over examples to the gradient of J, and a step of an optimizer: gradients.rs and optimizer/.

__device__ inline void step_of(const Here &here, int l, bool is_weight, i64 p, float sum) {
    const Launch &launch = here.launch;
    const Numbers &numbers = launch.numbers[here.step];
    float theta = launch.theta[p], g = mul(sum, numbers.share); // (G1)
    if (is_weight && numbers.decay > 0.0f) g = add(g, mul(numbers.decay, theta)); // (G1)
    if (!is_finite(g)) atomicMin(&launch.status->layer, l);
    float alpha = launch.rates[((i64)here.step * launch.layer_count + l) * 2 + !is_weight];
    if (launch.rule == ADAM) {
        float m = add(mul(launch.beta1, launch.first[p]), mul(launch.rest1, g));
        float v = add(mul(launch.beta2, launch.second[p]), mul(launch.rest2, mul(g, g)));
        float root = add(mul(__fsqrt_rn(v), numbers.scale), numbers.epsilon);
        launch.first[p] = m;
        launch.second[p] = v;
        launch.theta[p] = sub(theta, over(mul(alpha, m), root)); // (O4)
        return;
    }
    float direction = g; // (O1)
    if (launch.rule != DESCENT) {
        float v = add(mul(launch.mu, launch.first[p]), g);
        launch.first[p] = v;
        direction = launch.rule == NESTEROV ? add(g, mul(launch.mu, v)) : v; // (O2) (O3)
    }
    launch.theta[p] = sub(theta, mul(alpha, direction));
}

// The sums of leaves in a tree of neighbours; chunks of leaves are wholes of it.
__device__ inline void fold(const Here &here, i64 p) {
    const Launch &launch = here.launch;
    const Op &op = here.op;
    float sum = tree_of<float, 32>(op.leaves, [&](int leaf) { return launch.sums[leaf * launch.parameters + p]; });
    if (op.flag == NOTHING || op.chunk > 0) {
        int level = 0;
        for (; op.chunk >> level & 1; level++) sum = add(launch.carries[level * launch.parameters + p], sum);
        launch.carries[level * launch.parameters + p] = sum;
        if (op.flag == NOTHING) return;
        int chunks = op.chunk + 1;
        bool is_first = true;
        for (level = 0; chunks >> level; level++)
            if (chunks >> level & 1) {
                float carry = launch.carries[level * launch.parameters + p];
                sum = is_first ? carry : add(carry, sum);
                is_first = false;
            }
    }
    if (op.flag == WRITE) {
        launch.gradient[p] = sum;
        return;
    }
    int l = 0;
    while (l + 1 < launch.layer_count && p >= launch.layers[l + 1].weights) l++;
    const Layer &layer = launch.layers[l];
    step_of(here, l, p - layer.weights < (i64)layer.inputs * layer.outputs, p, sum);
}
