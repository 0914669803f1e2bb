// MinHash signatures in bands; xlmkit.data.fingerprints says what they are, and gives the numbers.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#if defined(__x86_64__) && defined(__gnu_linux__) && defined(__GNUC__) && !defined(__clang__)
#define WITH_AVX2_WHERE_IT_IS __attribute__((target_clones("avx2", "default")))
#else
#define WITH_AVX2_WHERE_IT_IS
#endif

using Keys = std::vector<uint64_t>;

// The finaliser of SplitMix64.
inline uint64_t mix(uint64_t key) {
  key = (key ^ (key >> 30)) * 0xbf58476d1ce4e5b9ULL;
  key = (key ^ (key >> 27)) * 0x94d049bb133111ebULL;
  return key ^ (key >> 31);
}

class MinHash {
 public:
  // factors, summands: of each row of the signature. weights: of each row in a band. starts: of
  // each band.
  MinHash(std::vector<uint32_t> factors, std::vector<uint32_t> summands, Keys weights, Keys starts)
      : factors_(std::move(factors)), summands_(std::move(summands)), lowest_(factors_.size()),
        weights_(std::move(weights)), starts_(std::move(starts)) {}

  // Append the bands of a text, given by the keys of its words.
  void append_bands(const uint64_t* words, size_t count, Keys& bands) {
    std::fill(lowest_.begin(), lowest_.end(), ~0u);
    for (size_t i = 0; i + 1 < count; ++i) {
      const uint64_t pair = mix(mix(words[i]) + words[i + 1]);
      lower(lowest_.data(), factors_.data(), summands_.data(), lowest_.size(),
            static_cast<uint32_t>(pair >> 32));
    }
    size_t row = 0;
    for (uint64_t sum : starts_) {
      for (const uint64_t weight : weights_) sum += lowest_[row++] * weight;
      bands.push_back(mix(sum));
    }
  }

 private:
  // What all the time goes into.
  WITH_AVX2_WHERE_IT_IS
  static void lower(uint32_t* __restrict lowest, const uint32_t* factors, const uint32_t* summands,
                    size_t rows, uint32_t key) {
    for (size_t i = 0; i < rows; ++i)
      lowest[i] = std::min(lowest[i], key * factors[i] + summands[i]);
  }

  std::vector<uint32_t> factors_, summands_, lowest_;
  Keys weights_, starts_;
};
