// A libcuda.so.1 for machines without a GPU: the kernels of ../kernels, unmodified, on an emulator of threads, behind those functions of
// the driver that surefoot-gpu calls. What is tested with it is the product itself.
//
// SUREFOOT_EMULATOR_ORDER   forward, reverse or shuffled: in which order threads take turns
// SUREFOOT_EMULATOR_BLOCKS  multiprocessors, 3 unless given
// SUREFOOT_EMULATOR_MEMORY  bytes of memory, 2^30 unless given
#include "emulate.h"
#include "../kernels/numbers.cu"
#include "../kernels/layers.cu"
#include "../kernels/program.cu"
#include "../kernels/step.cu"
#include "../kernels/products.cu"
#include "../kernels/train.cu"
#include <map>
#include <mutex>
#include <string>

namespace {
enum { SUCCESS = 0, INVALID_VALUE = 1, OUT_OF_MEMORY = 2, NOT_FOUND = 500 };
std::mutex one_at_a_time;
std::map<uint64_t, size_t> allocated;
thread_local void *current;
std::string setting(const char *name, const char *otherwise) {
    const char *value = getenv(name);
    return value ? value : otherwise;
}
size_t memory() { return std::stoull(setting("SUREFOOT_EMULATOR_MEMORY", "1073741824")); }
size_t used() {
    size_t bytes = 0;
    for (auto &one : allocated) bytes += one.second;
    return bytes;
}
emulated::Order order() {
    std::string name = setting("SUREFOOT_EMULATOR_ORDER", "forward");
    return name == "reverse" ? emulated::Order::Reverse : name == "shuffled" ? emulated::Order::Shuffled : emulated::Order::Forward;
}
// Whether so many bytes from here on lie within one allocation.
bool is_allocated(uint64_t at, size_t bytes) {
    auto after = allocated.upper_bound(at);
    if (after == allocated.begin()) return false;
    auto one = std::prev(after);
    return at + bytes <= one->first + one->second;
}
} // namespace

extern "C" {
int cuInit(unsigned) { return SUCCESS; }
int cuDriverGetVersion(int *version) { *version = 12000; return SUCCESS; }
int cuDeviceGetCount(int *count) { *count = 1; return SUCCESS; }
int cuDeviceGet(int *device, int ordinal) { *device = ordinal; return ordinal == 0 ? SUCCESS : INVALID_VALUE; }
int cuDeviceGetName(char *name, int length, int) { strncpy(name, "Emulated GPU", length); return SUCCESS; }
int cuDeviceGetAttribute(int *value, int attribute, int) {
    switch (attribute) {
    case 16: *value = std::stoi(setting("SUREFOOT_EMULATOR_BLOCKS", "3")); break; // multiprocessors
    case 75: *value = 7; break;                                                  // compute capability
    case 76: *value = 5; break;
    case 95: *value = 1; break; // cooperative launches
    default: *value = 0;
    }
    return SUCCESS;
}
int cuDevicePrimaryCtxRetain(void **context, int) { *context = &one_at_a_time; return SUCCESS; }
int cuDevicePrimaryCtxRelease_v2(int) { return SUCCESS; }
int cuCtxSetCurrent(void *context) { current = context; return SUCCESS; }
int cuCtxGetCurrent(void **context) { *context = current; return SUCCESS; }
int cuCtxSynchronize() { return SUCCESS; }
int cuMemGetInfo_v2(size_t *free, size_t *total) {
    std::lock_guard<std::mutex> lock(one_at_a_time);
    *total = memory();
    *free = *total - used();
    return SUCCESS;
}
int cuMemAlloc_v2(uint64_t *to, size_t bytes) {
    std::lock_guard<std::mutex> lock(one_at_a_time);
    if (bytes == 0) return INVALID_VALUE;
    if (bytes > memory() - used()) return OUT_OF_MEMORY;
    void *numbers = aligned_alloc(256, (bytes + 255) / 256 * 256);
    memset(numbers, 0xff, bytes); // NaN
    *to = (uint64_t)numbers;
    allocated[*to] = bytes;
    return SUCCESS;
}
int cuMemFree_v2(uint64_t at) {
    std::lock_guard<std::mutex> lock(one_at_a_time);
    if (!allocated.erase(at)) return INVALID_VALUE;
    free((void *)at);
    return SUCCESS;
}
int cuMemsetD8Async(uint64_t at, unsigned char value, size_t bytes, void *) {
    std::lock_guard<std::mutex> lock(one_at_a_time);
    if (!is_allocated(at, bytes)) return INVALID_VALUE;
    memset((void *)at, value, bytes);
    return SUCCESS;
}
int cuMemcpyHtoDAsync_v2(uint64_t to, const void *from, size_t bytes, void *) {
    std::lock_guard<std::mutex> lock(one_at_a_time);
    if (!is_allocated(to, bytes)) return INVALID_VALUE;
    memcpy((void *)to, from, bytes);
    return SUCCESS;
}
int cuMemcpyDtoHAsync_v2(void *to, uint64_t from, size_t bytes, void *) {
    std::lock_guard<std::mutex> lock(one_at_a_time);
    if (!is_allocated(from, bytes)) return INVALID_VALUE;
    memcpy(to, (void *)from, bytes);
    return SUCCESS;
}
int cuModuleLoadData(void **module, const void *) { *module = &allocated; return SUCCESS; }
int cuModuleUnload(void *) { return SUCCESS; }
int cuModuleGetFunction(void **function, void *, const char *name) {
    *function = (void *)surefoot_train;
    return strcmp(name, "surefoot_train") == 0 ? SUCCESS : NOT_FOUND;
}
int cuOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(int *blocks, void *, int, size_t, unsigned) { *blocks = 1; return SUCCESS; }
int cuLaunchCooperativeKernel(void *, unsigned blocks, unsigned, unsigned, unsigned threads, unsigned, unsigned, unsigned bytes, void *, void **arguments) {
    std::lock_guard<std::mutex> lock(one_at_a_time);
    const Launch &launch = *(const Launch *)arguments[0];
    emulated::launch(blocks, threads, bytes, order(), [&] { surefoot_train(launch); });
    return SUCCESS;
}
int cuStreamCreate(void **stream, unsigned) { *stream = &allocated; return SUCCESS; }
int cuStreamDestroy_v2(void *) { return SUCCESS; }
int cuStreamSynchronize(void *) { return SUCCESS; }
int cuStreamWaitEvent(void *, void *, unsigned) { return SUCCESS; }
int cuEventCreate(void **event, unsigned) { *event = &allocated; return SUCCESS; }
int cuEventRecord(void *, void *) { return SUCCESS; }
int cuEventDestroy_v2(void *) { return SUCCESS; }
int cuGetErrorName(int code, const char **text) { *text = code == OUT_OF_MEMORY ? "CUDA_ERROR_OUT_OF_MEMORY" : "CUDA_ERROR"; return SUCCESS; }
int cuGetErrorString(int code, const char **text) { *text = code == OUT_OF_MEMORY ? "out of memory" : "an error of the emulator"; return SUCCESS; }
}
