// Numbers words as they come, and counts them.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "word_coder.h"

class WordTable : public WordCoder {
 public:
  void encode(const Codes& word, std::vector<int32_t>& numbers) override {
    if (word.empty()) return;
    const std::u32string key(word.begin(), word.end());
    const auto [place, is_new] = numbers_.emplace(key, static_cast<int32_t>(words_.size()));
    if (is_new) {
      words_.push_back(&place->first);
      characters_ += key.size();
      counts_.push_back(0);
    }
    numbers.push_back(place->second);
  }

  void count(const std::vector<int32_t>& numbers) {
    for (const int32_t number : numbers)
      if (counts_[static_cast<size_t>(number)]++ == 0) counted_.push_back(number);
  }

  // Call a function with each word that was counted and how often; then no word is counted.
  template <typename Take>
  void take_counts(Take take) {
    for (const int32_t number : counted_) {
      const size_t place = static_cast<size_t>(number);
      take(*words_[place], counts_[place]);
      counts_[place] = 0;
    }
    counted_.clear();
  }

  // How many characters all words have.
  size_t characters() const { return characters_; }

  void clear() {
    characters_ = 0;
    numbers_.clear();
    words_.clear();
    counts_.clear();
    counted_.clear();
  }

 private:
  size_t characters_ = 0;
  std::unordered_map<std::u32string, int32_t> numbers_;
  std::vector<const std::u32string*> words_;  // keys of numbers_, which stay where they are
  std::vector<int64_t> counts_;               // since they were taken last
  std::vector<int32_t> counted_;              // the words with a count, in the order they came
};
