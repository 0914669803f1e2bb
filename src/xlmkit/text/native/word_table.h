// Numbers words as they come, and counts them.
#pragma once

#include <cstdint>
#include <vector>

#include "python.h"
#include "span_table.h"
#include "word_coder.h"

class WordTable : public WordCoder {
 public:
  void encode(const Codes& word, std::vector<int32_t>& numbers) override {
    if (word.empty()) return;
    const Span<uint32_t> span{word.data(), word.size()};
    const uint32_t hash = hash_of(span);
    const uint32_t* found = numbers_.find(hash, span);
    if (found != nullptr) {
      numbers.push_back(static_cast<int32_t>(*found));
      return;
    }
    Owned string = string_of(word);
    numbers_.insert(hash, span, static_cast<uint32_t>(words_.size()));
    numbers.push_back(static_cast<int32_t>(words_.size()));
    words_.push_back({std::move(string), 0});
    characters_ += word.size();
  }

  void count(const std::vector<int32_t>& numbers) {
    for (const int32_t number : numbers)
      if (words_[static_cast<size_t>(number)].count++ == 0) counted_.push_back(number);
  }

  // Call a function with each word that was counted and how often; then no word is counted.
  template <typename Take>
  void take_counts(Take take) {
    for (const int32_t number : counted_) {
      Word& word = words_[static_cast<size_t>(number)];
      take(word.string.get(), word.count);
      word.count = 0;
    }
    counted_.clear();
  }

  // How many words there are, and how many characters all have.
  size_t size() const { return words_.size(); }
  size_t characters() const { return characters_; }

  void clear() {
    characters_ = 0;
    numbers_.clear();
    words_.clear();
    counted_.clear();
  }

 private:
  struct Word {
    Owned string;   // made once, and so is Python's hash of it
    int64_t count;  // since it was taken last
  };

  size_t characters_ = 0;
  SpanTable numbers_;
  std::vector<Word> words_;
  std::vector<int32_t> counted_;  // the words with a count, in the order they came
};
