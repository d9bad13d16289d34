// Lets a compiler of C++ make the kernels of batches.cu, to be tested on a CPU.
//
// A kernel runs as many threads at a time as a block has, one block after the other.
// Each thread says first, by enter_block, where it is.

#include <atomic>
#include <barrier>
#include <cmath>
#include <cstring>
#include <memory>

#define __device__ static inline
#define __global__
#define __shared__

struct Place {
    int x;
};

static thread_local Place threadIdx, blockIdx;
static Place blockDim, gridDim;
double shared_memory[16384];
static std::unique_ptr<std::barrier<>> all_here;

extern "C" void open_grid(int n_blocks, int n_threads)
{
    gridDim.x = n_blocks;
    blockDim.x = n_threads;
    all_here = std::make_unique<std::barrier<>>(n_threads);
}

extern "C" void enter_block(int block, int thread)
{
    blockIdx.x = block;
    threadIdx.x = thread;
}

static inline void __syncthreads()
{
    if (blockDim.x > 1) all_here->arrive_and_wait();
}

template <class T>
static inline void atomicAdd(T* to, T value)
{
    std::atomic_ref<T>(*to).fetch_add(value);
}

template <class T>
static inline void atomicOr(T* to, T value)
{
    std::atomic_ref<T>(*to).fetch_or(value);
}

static inline int __popc(unsigned value) { return __builtin_popcount(value); }

template <class To, class From>
static inline To reinterpret(From value)
{
    static_assert(sizeof(To) == sizeof(From));
    To result;
    std::memcpy(&result, &value, sizeof(To));
    return result;
}

static inline float __int_as_float(int bits) { return reinterpret<float>(bits); }

static inline double __longlong_as_double(long long bits)
{
    return reinterpret<double>(bits);
}

static inline long long __double_as_longlong(double value)
{
    return reinterpret<long long>(value);
}
