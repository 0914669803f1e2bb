// What is made of the words that texts are split into: numbers, whatever they mean.
#pragma once

#include <cstdint>
#include <vector>

#include "python.h"

class WordCoder {
 public:
  virtual ~WordCoder() = default;

  // Append the numbers of a word; an empty one has none.
  virtual void encode(const Codes& word, std::vector<int32_t>& numbers) = 0;
};
