// Dropout by itself, and of the softmax of scores, both with their gradients.
#pragma once

#include "numbers.h"

struct DropJob {
  const void* given;
  void* made;
  Dropout dropout;
};

// Drops elements of a flat range; the gradient is the same of the gradient.
template <typename Value>
INLINED void drop(const DropJob& job, int64_t begin, int64_t end) {
  int64_t numbers[AT_ONCE / 8 + 1];
  const float scale = rounded<Value>(job.dropout.scale);
  for (int64_t start = begin; start < end; start += AT_ONCE) {
    const int64_t count = end - start < AT_ONCE ? end - start : AT_ONCE;
    const int8_t* levels = levels_of(job.dropout, start, count, numbers);
    const Value* given = static_cast<const Value*>(job.given) + start;
    Value* made = static_cast<Value*>(job.made) + start;
    for (int64_t i = 0; i < count; ++i)
      round_to(to_float(given[i]) * (levels[i] >= job.dropout.least ? scale : 0.0f), made[i]);
  }
}

struct SoftmaxJob {
  const void* scores;  // (rows, width)
  void* weights;       // (rows, width), their softmax
  void* dropped;       // (rows, width), what dropout leaves of it
  int64_t width;
  Dropout dropout;
};

// Calls work(start, count, levels) for the parts of a row.
template <typename Work>
INLINED void in_parts(const Dropout& dropout, int64_t row, int64_t width, const Work& work) {
  int64_t numbers[AT_ONCE / 8 + 1];
  for (int64_t start = 0; start < width; start += AT_ONCE) {
    const int64_t count = width - start < AT_ONCE ? width - start : AT_ONCE;
    work(start, count, levels_of(dropout, row * width + start, count, numbers));
  }
}

template <typename Value>
INLINED void softmax(const SoftmaxJob& job, int64_t begin, int64_t end) {
  const float scale = rounded<Value>(job.dropout.scale);
  const bool short_rows = job.width <= AT_ONCE;
  float powers[AT_ONCE];
  for (int64_t row = begin; row < end; ++row) {
    const Value* scores = static_cast<const Value*>(job.scores) + row * job.width;
    Value* weights = static_cast<Value*>(job.weights) + row * job.width;
    Value* dropped = static_cast<Value*>(job.dropped) + row * job.width;
    float most = to_float(scores[0]), sum = 0.0f;
    for (int64_t start = 0; start < job.width; start += AT_ONCE) {
      const int64_t count = std::min(AT_ONCE, job.width - start);
      read(scores + start, count, powers);
#pragma omp simd reduction(max : most)
      for (int64_t i = 0; i < count; ++i) most = most > powers[i] ? most : powers[i];
    }
    for (int64_t start = 0; start < job.width; start += AT_ONCE) {
      const int64_t count = std::min(AT_ONCE, job.width - start);
      if (!short_rows)
        read(scores + start, count, powers);
      for (int64_t i = 0; i < count; ++i) powers[i] = exponential(powers[i] - most);
#pragma omp simd reduction(+ : sum)
      for (int64_t i = 0; i < count; ++i) sum += powers[i];
    }
    const float share = 1.0f / sum;
    in_parts(job.dropout, row, job.width, [&](int64_t start, int64_t count, const int8_t* levels) {
      if (!short_rows)
        for (int64_t i = 0; i < count; ++i)
          powers[i] = exponential(to_float(scores[start + i]) - most);
      for (int64_t i = 0; i < count; ++i) powers[i] *= share;
      write(powers, count, weights + start);
      for (int64_t i = 0; i < count; ++i)
        round_to(to_float(weights[start + i]) * (levels[i] >= job.dropout.least ? scale : 0.0f),
                 dropped[start + i]);
    });
  }
}

struct SoftmaxGradientJob {
  const void* weights;   // (rows, width), the softmax
  const void* gradient;  // (rows, width), of what dropout left of it
  void* made;            // (rows, width), of the scores
  int64_t width;
  Dropout dropout;
};

template <typename Value>
INLINED void softmax_gradient(const SoftmaxGradientJob& job, int64_t begin, int64_t end) {
  const float scale = rounded<Value>(job.dropout.scale);
  for (int64_t row = begin; row < end; ++row) {
    const Value* weights = static_cast<const Value*>(job.weights) + row * job.width;
    const Value* gradient = static_cast<const Value*>(job.gradient) + row * job.width;
    Value* made = static_cast<Value*>(job.made) + row * job.width;
    float kept[AT_ONCE], own[AT_ONCE], sum = 0.0f;
    const auto read_part = [&](int64_t start, int64_t count, const int8_t* levels) {
      read(gradient + start, count, kept);
      read(weights + start, count, own);
      for (int64_t i = 0; i < count; ++i)
        kept[i] *= levels[i] >= job.dropout.least ? scale : 0.0f;
    };
    in_parts(job.dropout, row, job.width, [&](int64_t start, int64_t count, const int8_t* levels) {
      read_part(start, count, levels);
      float whole = 0.0f;
#pragma omp simd reduction(+ : whole)
      for (int64_t i = 0; i < count; ++i) whole += own[i] * kept[i];
      sum += whole;
    });
    const auto write_part = [&](int64_t start, int64_t count) {
      for (int64_t i = 0; i < count; ++i) own[i] *= kept[i] - sum;
      write(own, count, made + start);
    };
    if (job.width <= AT_ONCE) {
      write_part(0, job.width);
      continue;
    }
    in_parts(job.dropout, row, job.width, [&](int64_t start, int64_t count, const int8_t* levels) {
      read_part(start, count, levels);
      write_part(start, count);
    });
  }
}
