// What is made of the words that texts are split into: numbers, whatever they mean.
#pragma once

#include <cstdint>
#include <vector>

#include "conversions.h"
#include "python.h"

class WordCoder {
 public:
  virtual ~WordCoder() = default;

  // Append the numbers of a word; an empty one has none.
  virtual void encode(const Codes& word, std::vector<int32_t>& numbers) = 0;
};

// Let a function of Python make words of something, and append the numbers of all.
inline void encode_words_of(PyObject* function, PyObject* something, WordCoder& coder,
                            std::vector<int32_t>& numbers) {
  const Owned words(PyObject_CallFunctionObjArgs(function, something, nullptr));
  if (!words) throw PythonError();
  for_each_string(words.get(), [&](PyObject* word) { coder.encode(codes_of(word), numbers); });
}
