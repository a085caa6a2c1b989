// CUDA's threads as fibers of one thread of the CPU, as far as the kernels need them: blocks, barriers, shared memory.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <random>
#include <vector>

#define __global__
#define __device__
#define __forceinline__ inline
#define __launch_bounds__(...)
#define SHARED(name) float4 *name = emulated::self->block->shared

struct Index { unsigned x; };
struct alignas(16) float4 { float x, y, z, w; };
inline Index threadIdx, blockIdx, gridDim;
using std::min;

template <class To, class From> inline To bits_as(From from) { To to; memcpy(&to, &from, sizeof to); return to; }
inline float __fadd_rn(float a, float b) { return a + b; }
inline float __fsub_rn(float a, float b) { return a - b; }
inline float __fmul_rn(float a, float b) { return a * b; }
inline float __fdiv_rn(float a, float b) { return a / b; }
inline float __fmaf_rn(float a, float b, float c) { return std::fma(a, b, c); }
inline float __fsqrt_rn(float a) { return std::sqrt(a); }
inline double __dadd_rn(double a, double b) { return a + b; }
inline double __dsub_rn(double a, double b) { return a - b; }
inline double __dmul_rn(double a, double b) { return a * b; }
inline double __ddiv_rn(double a, double b) { return a / b; }
inline double __fma_rn(double a, double b, double c) { return std::fma(a, b, c); }
inline float __double2float_rn(double a) { return (float)a; }
inline float __int_as_float(int a) { return bits_as<float>(a); }
inline int __float_as_int(float a) { return bits_as<int>(a); }
inline double __longlong_as_double(long long a) { return bits_as<double>(a); }
inline long long __double_as_longlong(double a) { return bits_as<long long>(a); }

namespace emulated {
constexpr size_t STACK = 65536;
struct Block {
    unsigned index;
    float4 *shared;
    unsigned alive, waiting = 0, turn = 0;
};
struct Fiber {
    void *place;
    Block *block;
    unsigned thread;
    bool is_done;
};
inline Fiber *self;
inline void *scheduler;
inline const std::function<void()> *kernel;

// Saves where one fiber is, and goes on where another is.
extern "C" void surefoot_switch(void **save, void *to);
#if defined(__x86_64__)
asm(".text\n.globl surefoot_switch\nsurefoot_switch:\n"
    "push %rbp\npush %rbx\npush %r12\npush %r13\npush %r14\npush %r15\n"
    "mov %rsp,(%rdi)\nmov %rsi,%rsp\n"
    "pop %r15\npop %r14\npop %r13\npop %r12\npop %rbx\npop %rbp\nret\n");
#else
#error "the emulator switches between fibers on x86-64 only"
#endif

inline void yield() { surefoot_switch(&self->place, scheduler); }
[[noreturn]] inline void body() {
    (*kernel)();
    self->is_done = true;
    self->block->alive--;
    for (;;) yield();
}

enum class Order { Forward, Reverse, Shuffled };

// A launch whose blocks are all there at the same time. Shared memory begins as NaN.
inline void launch(unsigned blocks, unsigned threads, size_t bytes, Order order, const std::function<void()> &work) {
    static std::vector<char *> stacks;
    static std::mt19937 random(1);
    size_t count = (size_t)blocks * threads;
    while (stacks.size() < count) stacks.push_back((char *)aligned_alloc(64, STACK));
    std::vector<Block> all(blocks);
    std::vector<Fiber> fibers(count);
    std::vector<Fiber *> turns(count);
    gridDim = {blocks};
    kernel = &work;
    for (unsigned b = 0; b < blocks; b++) {
        all[b] = {b, (float4 *)aligned_alloc(128, bytes + 128), threads};
        memset((void *)all[b].shared, 0xff, bytes);
    }
    for (size_t i = 0; i < count; i++) {
        void **top = (void **)(stacks[i] + STACK) - 8; // the callee's stack is where a call leaves it
        top[6] = (void *)body;
        fibers[i] = {top, &all[i / threads], (unsigned)(i % threads), false};
        turns[order == Order::Reverse ? count - 1 - i : i] = &fibers[i];
    }
    for (size_t left = count; left > 0;) {
        if (order == Order::Shuffled) std::shuffle(turns.begin(), turns.end(), random);
        left = 0;
        for (Fiber *fiber : turns) {
            if (fiber->is_done) continue;
            left++;
            self = fiber;
            threadIdx = {fiber->thread};
            blockIdx = {fiber->block->index};
            surefoot_switch(&scheduler, fiber->place);
        }
    }
    for (auto &block : all) free(block.shared);
}
} // namespace emulated

inline void __syncthreads() {
    emulated::Block &block = *emulated::self->block;
    unsigned turn = block.turn;
    if (++block.waiting == block.alive) {
        block.waiting = 0;
        block.turn++;
        return;
    }
    while (block.turn == turn) emulated::yield();
}
inline void __threadfence() {}
inline void __nanosleep(unsigned) { emulated::yield(); }
inline unsigned atomicAdd(unsigned *to, unsigned what) { unsigned before = *to; *to += what; return before; }
inline int atomicMin(int *to, int what) { int before = *to; *to = std::min(before, what); return before; }
