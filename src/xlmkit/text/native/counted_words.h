// Words and how often each occurs, in columns; the counterpart of xlmkit.text.counted_words.
#pragma once

#include <algorithm>
#include <cstdint>
#include <stdexcept>
#include <vector>

#include "conversions.h"
#include "python.h"
#include "span_table.h"

struct CountedWords {
  Codes codes;  // of all words, end to end
  std::vector<int32_t> lengths;
  std::vector<double> counts;

  void append(Span<uint32_t> word, double count) {
    codes.insert(codes.end(), word.start, word.start + word.size);
    lengths.push_back(static_cast<int32_t>(word.size));
    counts.push_back(count);
  }

  Owned to_python() const {
    return Owned(PyTuple_Pack(3, bytes_of(codes).get(), bytes_of(lengths).get(),
                              bytes_of(counts).get()));
  }
};

// Call a function with each of some words.
template <typename Take>
void for_each_word(const Codes& codes, const std::vector<int32_t>& lengths, Take take) {
  size_t start = 0;
  for (const int32_t length : lengths) {
    const auto size = static_cast<size_t>(length);
    if (length < 0 || start + size > codes.size())
      throw std::invalid_argument("the lengths of words do not add up");
    take(Span<uint32_t>{codes.data() + start, size});
    start += size;
  }
  if (start != codes.size()) throw std::invalid_argument("the lengths of words do not add up");
}

// Adds up how often words occur.
class WordSums {
 public:
  void add(Span<uint32_t> word, double count) {
    const uint32_t hash = hash_of(word);
    const uint32_t* found = numbers_.find(hash, word);
    if (found != nullptr) {
      counts_[*found] += count;
      return;
    }
    places_.push_back(numbers_.insert(hash, word, static_cast<uint32_t>(counts_.size())));
    counts_.push_back(count);
  }

  size_t size() const { return counts_.size(); }

  CountedWords words() const {
    CountedWords words;
    for (size_t i = 0; i < counts_.size(); ++i) words.append(numbers_.at(places_[i]), counts_[i]);
    return words;
  }

 private:
  SpanTable numbers_;
  std::vector<uint32_t> places_;  // in numbers_
  std::vector<double> counts_;
};

// Return the numbers of words in the order in which Python sorts strings.
inline std::vector<int32_t> order_of(const Codes& codes, const std::vector<int32_t>& lengths) {
  struct Word {
    uint64_t first;  // three characters, of 21 bits each, which decide most comparisons
    Span<uint32_t> all;
    int32_t number;
  };
  std::vector<Word> words;
  words.reserve(lengths.size());
  for_each_word(codes, lengths, [&](Span<uint32_t> word) {
    uint64_t first = 0;
    for (size_t i = 0; i < 3; ++i) first = first << 21 | (i < word.size ? word.start[i] + 1 : 0);
    words.push_back({first, word, static_cast<int32_t>(words.size())});
  });
  std::stable_sort(words.begin(), words.end(), [](const Word& a, const Word& b) {
    if (a.first != b.first) return a.first < b.first;
    return std::lexicographical_compare(a.all.start, a.all.start + a.all.size, b.all.start,
                                        b.all.start + b.all.size);
  });
  std::vector<int32_t> order;
  order.reserve(words.size());
  for (const Word& word : words) order.push_back(word.number);
  return order;
}
