// What a training step does to whole tensors between its matrix products, each in one pass.
//
// A library without Python: xlmkit.model.kernels calls its functions with the addresses of
// contiguous tensors. `precision` is 0 for float32 and 1 for bfloat16.

#include "dropped.h"
#include "normed.h"
#include "threads.h"

#if !defined(__x86_64__) || !defined(__GNUC__) || defined(__clang__)
#error "These loops gain only where GCC makes wide instructions of them, on x86-64."
#endif

// What xlmkit.core.native_sources says of all these files; 0 where nobody asked it.
#ifndef SOURCES
#define SOURCES 0
#endif

#define WIDE \
  __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,fma,prefer-vector-width=512")))
#define MIDDLE __attribute__((target("avx2,fma")))

// Defines name_in_parts(): a kernel for either precision and both kinds of processors.
#define IN_PARTS(name, Job)                                                               \
  WIDE void name##_float_wide(const Job& job, int64_t begin, int64_t end) {               \
    name<float>(job, begin, end);                                                         \
  }                                                                                       \
  WIDE void name##_bfloat16_wide(const Job& job, int64_t begin, int64_t end) {            \
    name<BFloat16>(job, begin, end);                                                      \
  }                                                                                       \
  MIDDLE void name##_float_middle(const Job& job, int64_t begin, int64_t end) {           \
    name<float>(job, begin, end);                                                         \
  }                                                                                       \
  MIDDLE void name##_bfloat16_middle(const Job& job, int64_t begin, int64_t end) {        \
    name<BFloat16>(job, begin, end);                                                      \
  }                                                                                       \
  void name##_in_parts(const Pool& pool, int precision, int64_t count, int64_t part,      \
                       const Job& job) {                                                  \
    using Function = void (*)(const Job&, int64_t, int64_t);                              \
    const Function functions[2][2] = {{name##_float_middle, name##_bfloat16_middle},      \
                                      {name##_float_wide, name##_bfloat16_wide}};         \
    const Function function = functions[used_processor() - 1][precision];                 \
    for_parts(pool.fork, pool.threads, count, part,                                       \
              [&](int64_t begin, int64_t end) { function(job, begin, end); });            \
  }

namespace {

// 0 for one that the kernels do not serve, 1 with AVX2, 2 with AVX-512.
int this_processor() {
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return 0;
  return 1 + (__builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
              __builtin_cpu_supports("avx512vl"));
}

int& used_processor() {
  static int used = this_processor();
  return used;
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

constexpr int64_t PART = 1 << 14;  // elements that a thread takes at once

int64_t rows_in_part(int64_t width) { return std::max<int64_t>(1, PART / width); }

}  // namespace

extern "C" {

extern const uint64_t xlmkit_sources = SOURCES;

int xlmkit_processor() { return used_processor(); }

// Lets tests work as a lesser processor does.
void xlmkit_use_processor(int processor) {
  used_processor() = std::min(processor, this_processor());
}

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
