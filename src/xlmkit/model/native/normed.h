// The layer norm of a state and what dropout leaves of what is added to it, with its gradients.
#pragma once

#include <cmath>

#include "dropped.h"

struct NormJob {
  const void* state;   // (rows, width)
  const void* added;   // (rows, width), what dropout is applied to
  const void* weight;  // (width,)
  const void* bias;    // (width,)
  void* sum;           // (rows, width), what is normed
  void* made;          // (rows, width)
  float* moments;      // (rows, 2): mean, and one by the deviation
  int64_t width;
  float epsilon;
  Dropout dropout;
};

template <typename Value>
INLINED void normed(const NormJob& job, int64_t begin, int64_t end) {
  const float scale = rounded<Value>(job.dropout.scale);
  const Value* weight = static_cast<const Value*>(job.weight);
  const Value* bias = static_cast<const Value*>(job.bias);
  const float share = 1.0f / static_cast<float>(job.width);
  for (int64_t row = begin; row < end; ++row) {
    const Value* state = static_cast<const Value*>(job.state) + row * job.width;
    const Value* added = static_cast<const Value*>(job.added) + row * job.width;
    Value* sums = static_cast<Value*>(job.sum) + row * job.width;
    Value* made = static_cast<Value*>(job.made) + row * job.width;
    float mean = 0.0f, variance = 0.0f;
    in_parts(job.dropout, row, job.width, [&](int64_t start, int64_t count, const int8_t* levels) {
      for (int64_t i = 0; i < count; ++i) {
        const float kept = levels[i] >= job.dropout.least ? scale : 0.0f;
        round_to(to_float(state[start + i]) + to_float(added[start + i]) * kept, sums[start + i]);
      }
    });
#pragma omp simd reduction(+ : mean)
    for (int64_t i = 0; i < job.width; ++i) mean += to_float(sums[i]);
    mean *= share;
#pragma omp simd reduction(+ : variance)
    for (int64_t i = 0; i < job.width; ++i) {
      const float distance = to_float(sums[i]) - mean;
      variance += distance * distance;
    }
    const float inverse = 1.0f / std::sqrt(variance * share + job.epsilon);
    job.moments[2 * row] = mean;
    job.moments[2 * row + 1] = inverse;
    for (int64_t i = 0; i < job.width; ++i)
      round_to((to_float(sums[i]) - mean) * inverse * to_float(weight[i]) + to_float(bias[i]),
               made[i]);
  }
}

struct NormGradientJob {
  const void* gradient;  // (rows, width)
  const void* sum;       // (rows, width), as `NormJob` left it
  const float* moments;  // (rows, 2)
  const void* weight;    // (width,)
  void* of_state;        // (rows, width)
  void* of_added;        // (rows, width)
  float* of_affine;      // (parts, 2, width): the weight's and the bias's, zero before
  int64_t width, rows_in_part;
  Dropout dropout;
};

template <typename Value>
INLINED void normed_gradient(const NormGradientJob& job, int64_t begin, int64_t end) {
  const float scale = rounded<Value>(job.dropout.scale);
  const Value* weight = static_cast<const Value*>(job.weight);
  const float share = 1.0f / static_cast<float>(job.width);
  float* of_weight = job.of_affine + begin / job.rows_in_part * 2 * job.width;
  float* of_bias = of_weight + job.width;
  for (int64_t row = begin; row < end; ++row) {
    const Value* gradient = static_cast<const Value*>(job.gradient) + row * job.width;
    const Value* sums = static_cast<const Value*>(job.sum) + row * job.width;
    Value* of_state = static_cast<Value*>(job.of_state) + row * job.width;
    Value* of_added = static_cast<Value*>(job.of_added) + row * job.width;
    const float mean = job.moments[2 * row], inverse = job.moments[2 * row + 1];
    float whole = 0.0f, along = 0.0f;
#pragma omp simd reduction(+ : whole, along)
    for (int64_t i = 0; i < job.width; ++i) {
      const float given = to_float(gradient[i]), place = (to_float(sums[i]) - mean) * inverse;
      const float scaled = given * to_float(weight[i]);
      whole += scaled;
      along += scaled * place;
      of_weight[i] += given * place;
      of_bias[i] += given;
    }
    whole *= share;
    along *= share;
    in_parts(job.dropout, row, job.width, [&](int64_t start, int64_t count, const int8_t* levels) {
      for (int64_t i = 0; i < count; ++i) {
        const float place = (to_float(sums[start + i]) - mean) * inverse;
        const float scaled = to_float(gradient[start + i]) * to_float(weight[start + i]);
        Value change;
        round_to(inverse * (scaled - whole - place * along), change);
        of_state[start + i] = change;
        round_to(to_float(change) * (levels[i] >= job.dropout.least ? scale : 0.0f),
                 of_added[start + i]);
      }
    });
  }
}
