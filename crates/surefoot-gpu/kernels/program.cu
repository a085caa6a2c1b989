// What a launch does. The structures are those of src/program.rs.

struct Layer {
    int inputs, outputs, activation;
    int hidden;      // where its units begin among all hidden units
    i64 weights;     // where W begins in theta; b follows on it
    i64 squares;     // where its sums of squares begin
    float *a, *delta; // activations and error terms, examples x units
};

struct Op {
    int kind, layer;
    int tile;        // the lines of a tile of a product
    int shift;       // the block of threads that takes its first tile
    int ends;        // what follows needs its results
    int checks;      // the end of the training is to be looked for
    int flag;
    int rows;        // its examples
    int block, blocks; // its blocks of examples within the batch
    int leaves, chunk; // its leaves, and which chunk of leaves they are
};

enum { FORWARD, OUTPUT, ACTIVITIES, PENALTY, LOSSES, SQUARES, COST, DELTA, WEIGHTS, BIASES, FOLD };
// flags: of OUTPUT that error terms are wanted; of WEIGHTS and BIASES that their sums are a step's gradient;
// of FOLD that its leaves are the last, to be written down or for a step
enum { NOTHING, WRITE, STEP };
enum { DESCENT, MOMENTUM, NESTEROV, ADAM };

struct Numbers { // of a step
    double weight;       // what a sum is divided by
    double batch_weight; // the weights of the examples
    float share, decay, scale, epsilon;
};

struct Status {
    int costs;   // steps whose cost is known
    int stopped; // whether the last of these was not finite
    int layer;   // the first layer with a gradient that was not finite
};

struct Launch {
    const Layer *layers;
    const Op *ops;
    const Numbers *numbers;
    const float *rates;   // of weights and biases of each layer, for each step
    const unsigned *order; // which examples, or nothing where they lie in order
    const float *x, *y, *w;
    float *theta, *first, *second;
    float *z;             // weighted sums of the outputs, examples x outputs
    float *sums;          // of gradients, leaf by leaf
    float *carries;       // of whole chunks of leaves, level by level
    float *gradient;
    float *activities;    // sums, blocks x hidden units
    float *slopes;
    double *losses, *block_losses, *squares, *penalties, *costs;
    unsigned *barrier;
    Status *status;
    double decay, limit, rest, smoothing, sparsity, sparsity_weight;
    i64 parameters, first_row, stride;
    int layer_count, op_count, first_step, step_count;
    int loss, smooths, has_slopes, hidden, rule;
    int block_rows, blocks, blocks_per_leaf;
    float beta1, beta2, rest1, rest2, mu;
};

// The numbers of a launch as the ops of one step see them.
struct Here {
    const Launch &launch;
    const Op &op;
    int step;
    i64 row; // the first example
    __device__ i64 example(int e) const {
        return launch.order ? (i64)launch.order[row + e] : row + e;
    }
};

// All blocks of threads of a launch, which are there at the same time, wait for each other.
__device__ inline void wait_for_all(const Launch &launch) {
    __syncthreads();
    if (gridDim.x == 1) return;
    if (threadIdx.x == 0) {
        volatile unsigned *waiting = launch.barrier, *turn = launch.barrier + 1;
        unsigned now = *turn;
        __threadfence();
        if (atomicAdd(launch.barrier, 1u) == gridDim.x - 1) {
            *waiting = 0;
            __threadfence();
            atomicAdd(launch.barrier + 1, 1u);
        } else {
            while (*turn == now) __nanosleep(20);
        }
        __threadfence();
    }
    __syncthreads();
}

// Items are added in pairs of neighbours, these in pairs, and so on; one without a right neighbour goes up as it is.
template <class T, int LEVELS, class Item> __device__ inline T tree_of(int count, Item item) {
    T carries[LEVELS];
    for (int i = 0; i < count; i++) {
        T sum = item(i);
        int level = 0;
        for (; i >> level & 1; level++) sum = add(carries[level], sum);
        carries[level] = sum;
    }
    T all = 0;
    bool is_first = true;
    for (int level = 0; count >> level; level++)
        if (count >> level & 1) {
            all = is_first ? carries[level] : add(carries[level], all);
            is_first = false;
        }
    return all;
}

// The sum over blocks of examples: those of a leaf in their order, the leaves in a tree.
template <class Block> __device__ inline double over_blocks(const Launch &launch, Block block) {
    int blocks = launch.blocks, per_leaf = launch.blocks_per_leaf;
    return tree_of<double, 32>((blocks + per_leaf - 1) / per_leaf, [&](int leaf) {
        double sum = block(leaf * per_leaf);
        for (int b = leaf * per_leaf + 1; b < min(blocks, (leaf + 1) * per_leaf); b++) sum = add(sum, block(b));
        return sum;
    });
}

// The sum of 16 lanes that neighbouring threads have; all threads of a block call it.
template <class T> __device__ inline T of_lanes(T lane, T *shared) {
    int t = threadIdx.x;
    __syncthreads();
    shared[t] = lane;
    __syncthreads();
    T lanes[16];
#pragma unroll
    for (int i = 0; i < 16; i++) lanes[i] = shared[t / 16 * 16 + i];
    return joined(lanes, Plus());
}
