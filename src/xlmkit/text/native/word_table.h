// Numbers words as they come, and tells those of some texts apart from all others.
#pragma once

#include <cstdint>
#include <vector>

#include "counted_words.h"
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
    numbers.push_back(static_cast<int32_t>(words_.size()));
    words_.push_back({numbers_.insert(hash, span, static_cast<uint32_t>(words_.size())), 0, 0});
    characters_ += word.size();
  }

  // Count words, and put their numbers among those that are counted in the place of their own.
  void count(std::vector<int32_t>& numbers) {
    for (int32_t& number : numbers) {
      Word& word = words_[static_cast<size_t>(number)];
      if (word.count++ == 0) {
        word.counted = static_cast<int32_t>(counted_.size());
        counted_.push_back(number);
      }
      number = word.counted;
    }
  }

  // Return the words that were counted, in the order of their numbers; then no word is.
  CountedWords take_counts() {
    CountedWords counts;
    for (const int32_t number : counted_) {
      Word& word = words_[static_cast<size_t>(number)];
      counts.append(numbers_.at(word.place), word.count);
      word.count = 0;
    }
    counted_.clear();
    return counts;
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
    uint32_t place;   // in numbers_
    uint32_t count;   // since it was taken last
    int32_t counted;  // its number among those that have a count
  };

  size_t characters_ = 0;
  SpanTable numbers_;
  std::vector<Word> words_;
  std::vector<int32_t> counted_;  // the words with a count, in the order they came
};
