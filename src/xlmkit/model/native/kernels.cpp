// What a training step does to whole tensors between its matrix products, each in one pass.
//
// A library without Python: xlmkit.model.kernels calls its functions with the addresses of
// contiguous tensors. `precision` is 0 for float32 and 1 for bfloat16.

#include "dropped.h"
#include "normed.h"
#include "threads.h"

// What xlmkit.text.native_sources says of all these files; 0 where nobody asked it.
#ifndef SOURCES
#define SOURCES 0
#endif

// Each kernel is compiled for several processors; which one this is, is asked when it is called.
#if defined(__x86_64__) && defined(__GNUC__)
#define WIDE \
  __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,fma,prefer-vector-width=512")))
#define MIDDLE __attribute__((target("avx2,fma")))
int processor() {
  static const bool middle = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  static const bool wide = __builtin_cpu_supports("avx512bw") &&
                           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  return middle ? 1 + wide : 0;
}
#else
#define WIDE
#define MIDDLE
int processor() { return 0; }
#endif

#define FOR(Value, name, Job, PROCESSOR, ending)                               \
  PROCESSOR void name##_##Value##_##ending(const Job& job, int64_t begin, int64_t end) { \
    name<Value>(job, begin, end);                                              \
  }
#define FOR_ALL(Value, name, Job)     \
  FOR(Value, name, Job, WIDE, wide)   \
  FOR(Value, name, Job, MIDDLE, middle) \
  FOR(Value, name, Job, , usual)
#define IN_PARTS(name, Job)                                                    \
  FOR_ALL(float, name, Job)                                                    \
  FOR_ALL(BFloat16, name, Job)                                                 \
  void name##_in_parts(const Pool& pool, int precision, int64_t count, int64_t part, \
                       const Job& job) {                                       \
    using Function = void (*)(const Job&, int64_t, int64_t);                   \
    const Function functions[3][2] = {                                         \
        {name##_float_usual, name##_BFloat16_usual},                           \
        {name##_float_middle, name##_BFloat16_middle},                         \
        {name##_float_wide, name##_BFloat16_wide},                             \
    };                                                                         \
    const Function function = functions[processor()][precision];               \
    for_parts(pool.fork, pool.threads, count, part,                            \
              [&](int64_t begin, int64_t end) { function(job, begin, end); }); \
  }

struct Pool {
  Fork fork;  // null: this thread alone
  unsigned threads;
};

IN_PARTS(drop, DropJob)
IN_PARTS(softmax, SoftmaxJob)
IN_PARTS(softmax_gradient, SoftmaxGradientJob)
IN_PARTS(normed, NormJob)
IN_PARTS(normed_gradient, NormGradientJob)

namespace {

constexpr int64_t PART = 1 << 14;  // elements that a thread takes at once

int64_t rows_in_part(int64_t width) { return std::max<int64_t>(1, PART / width); }

}  // namespace

extern "C" {

extern const uint64_t xlmkit_sources = SOURCES;

void xlmkit_drop(Fork fork, unsigned threads, int precision, const void* given, void* made,
                 int64_t count, int64_t key, int least, float scale) {
  const DropJob job{given, made, {key, least, scale}};
  drop_in_parts({fork, threads}, precision, count, PART, job);
}

void xlmkit_softmax(Fork fork, unsigned threads, int precision, const void* scores, void* weights,
                    void* dropped, int64_t rows, int64_t width, int64_t key, int least,
                    float scale) {
  const SoftmaxJob job{scores, weights, dropped, width, {key, least, scale}};
  softmax_in_parts({fork, threads}, precision, rows, rows_in_part(width), job);
}

void xlmkit_softmax_gradient(Fork fork, unsigned threads, int precision, const void* weights,
                             const void* gradient, void* made, int64_t rows, int64_t width,
                             int64_t key, int least, float scale) {
  const SoftmaxGradientJob job{weights, gradient, made, width, {key, least, scale}};
  softmax_gradient_in_parts({fork, threads}, precision, rows, rows_in_part(width), job);
}

void xlmkit_normed(Fork fork, unsigned threads, int precision, const void* state,
                   const void* added, const void* weight, const void* bias, void* sum, void* made,
                   float* moments, int64_t rows, int64_t width, float epsilon, int64_t key,
                   int least, float scale) {
  const NormJob job{state,   added, weight,  bias, sum, made,
                    moments, width, epsilon, {key, least, scale}};
  normed_in_parts({fork, threads}, precision, rows, rows_in_part(width), job);
}

void xlmkit_normed_gradient(Fork fork, unsigned threads, int precision, const void* gradient,
                            const void* sum, const float* moments, const void* weight,
                            void* of_state, void* of_added, float* of_affine, int64_t rows,
                            int64_t width, int64_t rows_in_part, int64_t key, int least,
                            float scale) {
  const NormGradientJob job{gradient, sum,   moments,      weight,             of_state,
                            of_added, of_affine, width, rows_in_part, {key, least, scale}};
  normed_gradient_in_parts({fork, threads}, precision, rows, rows_in_part, job);
}

}  // extern "C"
