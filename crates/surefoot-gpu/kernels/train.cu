// A launch: the ops of each of its steps, one after the other, by blocks of threads that are all there.

#ifndef SHARED
#define SHARED(name) extern __shared__ float4 name[]
#endif

__device__ inline i64 tiles_of(const Launch &launch, const Op &op) {
    const Layer &layer = launch.layers[op.layer];
    auto parts = [](i64 count, int size) { return (count + size - 1) / size; };
    switch (op.kind) {
    case FORWARD: return parts(op.rows, op.tile) * parts(layer.outputs, op.tile);
    case DELTA: return parts(op.rows, op.tile) * parts(layer.inputs, op.tile);
    case WEIGHTS: return parts(layer.outputs, op.tile) * parts(layer.inputs, op.tile) * op.leaves;
    case BIASES: return parts(layer.outputs, 16) * op.leaves;
    case ACTIVITIES: return parts(layer.outputs, 16) * op.blocks;
    case OUTPUT: return parts(op.rows, 32);
    case LOSSES: return parts(op.blocks, THREADS / 16);
    case SQUARES: return parts(parts((i64)layer.inputs * layer.outputs, 4096), THREADS / 16);
    case FOLD: return parts(launch.parameters, THREADS);
    default: return 1;
    }
}

__device__ inline void forward(const Here &here, i64 tile, float4 *memory) {
    const Launch &launch = here.launch;
    int l = here.op.layer;
    const Layer &layer = launch.layers[l];
    bool is_output = l + 1 == launch.layer_count;
    Operand x = {l ? launch.layers[l - 1].a : launch.x, layer.inputs, 1, nullptr, true};
    if (l == 0 && launch.order) x.order = launch.order + here.row;
    else if (l == 0) x.numbers += here.row * layer.inputs;
    Operand w = {launch.theta + layer.weights, layer.inputs, 1, nullptr, true};
    const float *bias = launch.theta + layer.weights + (i64)layer.inputs * layer.outputs;
    float *z = is_output ? launch.z : layer.a;
    int activation = layer.activation;
    product_tile(here.op, tile, x, w, here.op.rows, layer.outputs, layer.inputs, 256, bias, z, memory,
                 [&](int, int, float *z_of) { layer.a[z_of - z] = activate(activation, *z_of); }); // (6) (7)
}

__device__ inline void back(const Here &here, i64 tile, float4 *memory) {
    const Launch &launch = here.launch;
    int l = here.op.layer;
    const Layer &layer = launch.layers[l], &below = launch.layers[l - 1];
    Operand delta = {layer.delta, layer.outputs, 1, nullptr, true};
    Operand w = {launch.theta + layer.weights, 1, layer.inputs, nullptr, true};
    const float *slopes = launch.has_slopes && launch.penalties[launch.hidden + 1] != 0.0 ? launch.slopes + below.hidden : nullptr;
    int activation = below.activation;
    product_tile(here.op, tile, delta, w, here.op.rows, layer.inputs, layer.outputs, 256, nullptr, below.delta, memory,
                 [&](int e, int unit, float *d) {
                     float sum = *d;
                     if (slopes) sum = fused(slopes[unit], launch.w ? launch.w[here.example(e)] : 1.0f, sum); // (P2)
                     *d = times_derivative(activation, sum, below.a[(i64)e * layer.inputs + unit]); // (B2)
                 });
}

// The examples of a leaf of a chunk.
struct Leaf {
    int first, rows, blocks;
    __device__ Leaf(const Here &here, int leaf) {
        int per_leaf = here.launch.blocks_per_leaf, block = leaf * per_leaf;
        first = block * here.launch.block_rows;
        blocks = min(per_leaf, here.op.blocks - block);
        rows = min(blocks * here.launch.block_rows, here.op.rows - first);
    }
};

__device__ inline void weights(const Here &here, i64 tile, float4 *memory) {
    const Launch &launch = here.launch;
    int l = here.op.layer, index = (int)(tile % here.op.leaves);
    const Layer &layer = launch.layers[l];
    Leaf leaf(here, index);
    Operand delta = {layer.delta + (i64)leaf.first * layer.outputs, 1, layer.outputs, nullptr, false};
    Operand a = {l ? launch.layers[l - 1].a + (i64)leaf.first * layer.inputs : launch.x, 1, layer.inputs, nullptr, false};
    if (l == 0 && launch.order) a.order = launch.order + here.row + leaf.first;
    else if (l == 0) a.numbers += (here.row + leaf.first) * layer.inputs;
    float *sums = launch.sums + index * launch.parameters + layer.weights;
    bool steps = here.op.flag == STEP;
    product_tile(here.op, tile / here.op.leaves, delta, a, layer.outputs, layer.inputs, leaf.rows, launch.block_rows,
                 nullptr, sums, memory, [&](int, int, float *sum) {
                     if (steps) step_of(here, l, true, layer.weights + (sum - sums), *sum); // (B3)
                 });
}

// Sums of 16 units over the examples of a block: a thread for each lane of each unit, the units side by side.
template <class Term> __device__ inline float block_sum(int rows, float *shared, Term term) {
    int lane = threadIdx.x / 16, unit = threadIdx.x % 16;
    float sum = 0.0f;
    for (int e = lane; e < rows; e += 16) sum = add(sum, term(e, unit));
    __syncthreads();
    shared[lane * 16 + unit] = sum;
    __syncthreads();
    float lanes[16];
#pragma unroll
    for (int i = 0; i < 16; i++) lanes[i] = shared[i * 16 + unit];
    return joined(lanes, Plus());
}

__device__ inline void biases(const Here &here, i64 tile, float4 *memory) {
    const Launch &launch = here.launch;
    const Layer &layer = launch.layers[here.op.layer];
    int index = (int)(tile % here.op.leaves), first = (int)(tile / here.op.leaves) * 16, units = layer.outputs;
    Leaf leaf(here, index);
    float sum = 0.0f;
    for (int b = 0; b < leaf.blocks; b++) {
        int from = leaf.first + b * launch.block_rows, rows = min(launch.block_rows, leaf.first + leaf.rows - from);
        float of_block = block_sum(rows, (float *)memory, [&](int e, int unit) {
            return first + unit < units ? layer.delta[(i64)(from + e) * units + first + unit] : 0.0f;
        });
        sum = b == 0 ? of_block : add(sum, of_block); // (B3)
    }
    int unit = first + threadIdx.x;
    if (threadIdx.x >= 16 || unit >= units) return;
    i64 p = layer.weights + (i64)layer.inputs * units + unit;
    launch.sums[index * launch.parameters + p] = sum;
    if (here.op.flag == STEP) step_of(here, here.op.layer, false, p, sum);
}

__device__ inline void activities(const Here &here, i64 tile, float4 *memory) {
    const Launch &launch = here.launch;
    const Layer &layer = launch.layers[here.op.layer];
    int block = (int)(tile % here.op.blocks), first = (int)(tile / here.op.blocks) * 16, units = layer.outputs;
    int from = block * launch.block_rows, rows = min(launch.block_rows, here.op.rows - from);
    float share = layer.activation == SIGMOID ? 1.0f : 0.5f, offset = layer.activation == SIGMOID ? 0.0f : 0.5f;
    float sum = block_sum(rows, (float *)memory, [&](int e, int unit) {
        if (first + unit >= units) return 0.0f;
        float a = layer.a[(i64)(from + e) * units + first + unit];
        return mul(fused(a, share, offset), launch.w ? launch.w[here.example(from + e)] : 1.0f); // (P1)
    });
    int unit = first + threadIdx.x;
    if (threadIdx.x < 16 && unit < units)
        launch.activities[(i64)(here.op.block + block) * launch.hidden + layer.hidden + unit] = sum;
}

// The penalty and its slopes, of all hidden units.  (P1) (P2)
__device__ inline void penalty(const Here &here) {
    const Launch &launch = here.launch;
    const Numbers &numbers = launch.numbers[here.step];
    double weight = numbers.batch_weight, *penalties = launch.penalties, rho = launch.sparsity, beta = launch.sparsity_weight;
    double back = over(numbers.weight, weight), rest = sub(1.0, rho);
    for (int l = 0; l + 1 < launch.layer_count; l++) {
        const Layer &layer = launch.layers[l];
        double share = layer.activation == SIGMOID ? 1.0 : 0.5;
        for (int unit = threadIdx.x; unit < layer.outputs; unit += THREADS) {
            int h = layer.hidden + unit;
            double sum = over_blocks(launch, [&](int b) { return (double)launch.activities[(i64)b * launch.hidden + h]; });
            double mean = over(sum, weight), off = sub(1.0, mean);
            penalties[h] = mul(beta, add(mul(rho, logarithm(over(rho, mean))), mul(rest, logarithm(over(rest, off)))));
            double slope = mul(beta, add(over(-rho, mean), over(rest, off)));
            launch.slopes[h] = single(mul(mul(slope, share), back));
        }
    }
    __syncthreads();
    if (threadIdx.x > 0) return;
    bool counts = weight != 0.0;
    double sum = 0.0;
    for (int h = 0; counts && h < launch.hidden; h++) sum = add(sum, penalties[h]);
    penalties[launch.hidden] = sum;
    penalties[launch.hidden + 1] = counts ? 1.0 : 0.0;
}

// Outputs, losses and error terms of 32 examples.
__device__ inline void outputs(const Here &here, i64 tile) {
    const Launch &launch = here.launch;
    const Layer &layer = launch.layers[launch.layer_count - 1];
    i64 e = tile * 32 + threadIdx.x;
    if (threadIdx.x >= 32 || e >= here.op.rows) return;
    int units = layer.outputs;
    i64 example = here.example((int)e);
    float *a = layer.a + e * units;
    const float *z = launch.z + e * units;
    if (layer.activation == SOFTMAX) softmax(z, a, units);
    Targets y = {launch.y + example * units, launch.smooths != 0, launch.rest, launch.smoothing};
    double loss = loss_of(launch.loss, layer.activation, z, a, y, units, launch.limit);
    launch.losses[e] = launch.w ? mul(loss, (double)launch.w[example]) : loss;
    if (!here.op.flag) return;
    float *delta = layer.delta + e * units;
    deltas_of(launch.loss, layer.activation, a, y, units, delta);
    if (launch.w)
        for (int k = 0; k < units; k++) delta[k] = mul(delta[k], launch.w[example]);
}

// The losses of 16 blocks of examples, or the squares of 16 blocks of weights: 16 neighbouring threads are the lanes of one.
__device__ inline void losses(const Here &here, i64 tile, float4 *memory) {
    const Launch &launch = here.launch;
    int block = (int)tile * 16 + threadIdx.x / 16, from = block * launch.block_rows;
    int end = block < here.op.blocks ? min(here.op.rows, from + launch.block_rows) : from;
    double sum = 0.0;
    for (int e = from + threadIdx.x % 16; e < end; e += 16) sum = add(sum, launch.losses[e]); // (8)
    sum = of_lanes(sum, (double *)memory);
    if (threadIdx.x % 16 == 0 && block < here.op.blocks) launch.block_losses[here.op.block + block] = sum;
}

__device__ inline void squares(const Here &here, i64 tile, float4 *memory) {
    const Layer &layer = here.launch.layers[here.op.layer];
    i64 count = (i64)layer.inputs * layer.outputs, block = tile * 16 + threadIdx.x / 16, from = block * 4096;
    i64 end = from + 4096 < count ? from + 4096 : count;
    double sum = 0.0;
    for (i64 i = from + threadIdx.x % 16; i < end; i += 16) {
        double w = here.launch.theta[layer.weights + i];
        sum = fused(w, w, sum); // (8)
    }
    sum = of_lanes(sum, (double *)memory);
    if (threadIdx.x % 16 == 0 && from < count) here.launch.squares[layer.squares + block] = sum;
}

// J of the batch, and whether training ends with it.  (8)
__device__ inline void cost(const Here &here) {
    const Launch &launch = here.launch;
    __syncthreads(); // other threads of this block may have the losses
    if (threadIdx.x > 0) return;
    double sum = over_blocks(launch, [&](int b) { return launch.block_losses[b]; }), all = 0.0;
    for (int l = 0; launch.decay != 0.0 && l < launch.layer_count; l++) {
        const Layer &layer = launch.layers[l];
        int blocks = (int)(((i64)layer.inputs * layer.outputs + 4095) / 4096);
        all = add(all, tree_of<double, 32>(blocks, [&](int b) { return launch.squares[layer.squares + b]; }));
    }
    double decay = launch.decay == 0.0 ? 0.0 : mul(mul(0.5, launch.decay), all);
    double penalty = launch.has_slopes ? launch.penalties[launch.hidden] : 0.0;
    double j = add(add(over(sum, launch.numbers[here.step].weight), decay), penalty);
    launch.costs[here.step] = j;
    launch.status->costs = here.step + 1;
    if (!is_finite(j)) launch.status->stopped = 1;
}

__device__ inline void run_tile(const Here &here, i64 tile, float4 *memory) {
    switch (here.op.kind) {
    case FORWARD: forward(here, tile, memory); break;
    case DELTA: back(here, tile, memory); break;
    case WEIGHTS: weights(here, tile, memory); break;
    case BIASES: biases(here, tile, memory); break;
    case ACTIVITIES: activities(here, tile, memory); break;
    case PENALTY: penalty(here); break;
    case OUTPUT: outputs(here, tile); break;
    case LOSSES: losses(here, tile, memory); break;
    case SQUARES: squares(here, tile, memory); break;
    case COST: cost(here); break;
    case FOLD: {
        i64 p = tile * THREADS + threadIdx.x;
        if (p < here.launch.parameters) fold(here, p);
    }
    }
}

extern "C" __global__ void __launch_bounds__(THREADS, 1) surefoot_train(Launch launch) {
    SHARED(memory);
    for (int s = 0; s < launch.step_count; s++) {
        for (int o = 0; o < launch.op_count; o++) {
            const Op &op = launch.ops[o];
            volatile Status *status = launch.status;
            if (op.checks && (status->stopped || (o == 0 && status->layer < launch.layer_count))) return;
            i64 row = launch.first_row + s * launch.stride, tiles = tiles_of(launch, op);
            Here here = {launch, op, launch.first_step + s, row};
            unsigned start = (blockIdx.x + gridDim.x - op.shift % gridDim.x) % gridDim.x;
            for (i64 tile = start; tile < tiles; tile += gridDim.x) run_tile(here, tile, memory);
            if (op.ends) wait_for_all(launch);
        }
    }
}
