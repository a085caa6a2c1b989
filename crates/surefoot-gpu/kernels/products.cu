// Products of matrices: every element is one ascending chain of fused multiply-adds in one thread, cut where the specification says.

#define THREADS 256

struct Operand { // element (line, k)
    const float *numbers;
    i64 by_line, by_k;
    const unsigned *order; // which lines, or which k, of a table; or nothing
    bool orders_lines;
    __device__ const float *at(i64 line, i64 k) const {
        if (order) (orders_lines ? line : k) = order[orders_lines ? line : k];
        return numbers + line * by_line + k * by_k;
    }
};

// What a tile of T lines and K terms has of an operand, in the registers of all threads.
template <int T, int K> struct Fragment {
    static constexpr int COUNT = T * K / THREADS, PITCH = T + 4;
    float numbers[COUNT];
    __device__ static int line(const Operand &from, int i) {
        int place = threadIdx.x + i * THREADS;
        return from.by_k == 1 ? place / K : place % T;
    }
    __device__ static int term(const Operand &from, int i) {
        int place = threadIdx.x + i * THREADS;
        return from.by_k == 1 ? place % K : place / T;
    }
    __device__ __forceinline__ void load(const Operand &from, int first_line, int lines, int first, int count) {
#pragma unroll
        for (int i = 0; i < COUNT; i++) {
            int l = first_line + line(from, i), k = term(from, i);
            numbers[i] = l < lines && k < count ? *from.at(l, first + k) : 0.0f;
        }
    }
    __device__ __forceinline__ void store(const Operand &from, float *shared) const {
#pragma unroll
        for (int i = 0; i < COUNT; i++) shared[term(from, i) * PITCH + line(from, i)] = numbers[i];
    }
};

// Some numbers of a line of a shared tile: one, or fours that are half a tile apart.
template <int T, int R> __device__ __forceinline__ int place(int thread, int i) {
    return R == 1 ? thread : i / 4 * (T / (R / 4)) + thread * 4 + i % 4;
}
template <int T, int R> __device__ __forceinline__ void take(const float *line, int thread, float (&to)[R]) {
    if constexpr (R == 1) {
        to[0] = line[thread];
    } else {
#pragma unroll
        for (int i = 0; i < R; i += 4) {
            float4 four = *(const float4 *)(line + place<T, R>(thread, i));
            to[i] = four.x;
            to[i + 1] = four.y;
            to[i + 2] = four.z;
            to[i + 3] = four.w;
        }
    }
}

// T x T elements of lines of p by lines of q, R x R a thread, over `terms` in segments: the chain of the first segment begins with
// `start`, the others with 0, and the segments are added in their order. They are written down, then `use` takes each.
template <int T, int R, int K, class Use>
__device__ inline void product(const Operand &p, const Operand &q, int m0, int m, int n0, int n, int terms, int segment,
                               const float *start, float *to, float4 *memory, Use use) {
    using Part = Fragment<T, K>;
    constexpr int SIZE = K * Part::PITCH;
    float *shared = (float *)memory;
    int row = threadIdx.x / (T / R), column = threadIdx.x % (T / R);
    float sums[R][R];
#pragma unroll
    for (int j = 0; j < R; j++) {
        int c = n0 + place<T, R>(column, j);
        float from = start && c < n ? start[c] : 0.0f;
#pragma unroll
        for (int i = 0; i < R; i++) sums[i][j] = from;
    }
    Part a, b;
    auto end_of = [&](int k) { return min(min(terms, k + K), (k / segment + 1) * segment); };
    int first = 0, end = end_of(0), half = 0;
    a.load(p, m0, m, 0, end);
    b.load(q, n0, n, 0, end);
    __syncthreads();
    a.store(p, shared);
    b.store(q, shared + SIZE);
    __syncthreads();
    while (true) {
        int next = end < terms ? end_of(end) : end;
        if (end < terms) {
            a.load(p, m0, m, end, next - end);
            b.load(q, n0, n, end, next - end);
        }
        const float *of_p = shared + 2 * half * SIZE, *of_q = of_p + SIZE;
#pragma unroll 8
        for (int k = 0; k < end - first; k++) {
            float left[R], right[R];
            take<T, R>(of_p + k * Part::PITCH, row, left);
            take<T, R>(of_q + k * Part::PITCH, column, right);
#pragma unroll
            for (int i = 0; i < R; i++)
#pragma unroll
                for (int j = 0; j < R; j++) sums[i][j] = fused(left[i], right[j], sums[i][j]); // (6) (B2) (B3)
        }
        if (end == terms || end % segment == 0) {
            bool is_first = end <= segment;
#pragma unroll
            for (int i = 0; i < R; i++)
#pragma unroll
                for (int j = 0; j < R; j++) {
                    int r = m0 + place<T, R>(row, i), c = n0 + place<T, R>(column, j);
                    if (r < m && c < n) {
                        float *sum = to + (i64)r * n + c;
                        *sum = is_first ? sums[i][j] : add(*sum, sums[i][j]);
                    }
                    sums[i][j] = 0.0f;
                }
        }
        if (end == terms) break;
        half ^= 1;
        a.store(p, shared + 2 * half * SIZE);
        b.store(q, shared + (2 * half + 1) * SIZE);
        __syncthreads();
        first = end;
        end = next;
    }
#pragma unroll 1
    for (int i = 0; i < R * R; i++) {
        int r = m0 + place<T, R>(row, i / R), c = n0 + place<T, R>(column, i % R);
        if (r < m && c < n) use(r, c, to + (i64)r * n + c);
    }
}

// All tiles of a product of m x n elements, each by one block of threads.
template <class Use>
__device__ inline void product_tile(const Op &op, i64 tile, const Operand &p, const Operand &q, int m, int n, int terms,
                                    int segment, const float *start, float *to, float4 *memory, Use use) {
    int size = op.tile, rows = (m + size - 1) / size;
    int m0 = (int)(tile % rows) * size, n0 = (int)(tile / rows) * size;
    if (size == 16) product<16, 1, 64>(p, q, m0, m, n0, n, terms, segment, start, to, memory, use);
    else if (size == 64) product<64, 4, 16>(p, q, m0, m, n0, n, terms, segment, start, to, memory, use);
    else product<128, 8, 16>(p, q, m0, m, n0, n, terms, segment, start, to, memory, use);
}
