// Learning the merges of byte-pair encoding from words and their counts.
//
// The order of Sennrich et al. (2016): the most frequent pair first; of equally frequent ones, that
// whose symbols have the lower numbers. It is kept as the library `tokenizers` keeps it, down to a
// result that is a symbol already: then the words in which that pair is new wait as an entry of
// their own. So both learn the same merges.
#pragma once

#include <cstdint>
#include <queue>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "flat_map.h"

class Learner {
 public:
  // names: of the symbols. symbols: of all words, end to end. lengths, counts: of each word.
  Learner(std::vector<std::u32string> names, std::vector<int32_t> symbols,
          const std::vector<int32_t>& lengths, std::vector<int64_t> counts)
      : names_(std::move(names)), symbols_(std::move(symbols)), counts_(std::move(counts)) {
    for (size_t i = 0; i < names_.size(); ++i) numbers_[names_[i]] = static_cast<int32_t>(i);
    size_t start = 0;
    for (const int32_t symbol : symbols_)
      if (symbol < 0 || static_cast<size_t>(symbol) >= names_.size())
        throw std::invalid_argument("a symbol has no name");
    for (const int32_t length : lengths) {
      if (length < 0) throw std::invalid_argument("the lengths of words do not add up");
      words_.push_back({start, static_cast<uint32_t>(length)});
      start += static_cast<size_t>(length);
    }
    if (start != symbols_.size() || counts_.size() != words_.size())
      throw std::invalid_argument("the lengths of words do not add up");
  }

  // Return (left, right, result) of each merge; results beyond the first names are new symbols.
  std::vector<int32_t> learn(size_t vocabulary, int64_t minimum) {
    for (uint32_t word = 0; word < words_.size(); ++word) {
      const int32_t* symbols = symbols_.data() + words_[word].start;
      for (uint32_t i = 0; i + 1 < words_[word].length; ++i)
        change(number_of(symbols[i], symbols[i + 1]), +1, word);
    }
    queue_changed();
    std::vector<int32_t> merges;
    while (names_.size() < vocabulary && !queue_.empty()) {
      Entry top = std::move(const_cast<Entry&>(queue_.top()));
      queue_.pop();
      const int64_t count = pairs_[top.number].count;
      if (top.count != count) {  // it has changed since the entry was made
        top.count = count;
        queue_.push(std::move(top));
        continue;
      }
      if (count < 1 || count < minimum) break;
      const auto [left, right] = symbols_of(top.pair);
      const int32_t result = number(left, right);
      for (const int32_t value : {left, right, result}) merges.push_back(value);
      ++merge_;
      before_.resize(names_.size());
      behind_.resize(names_.size());
      for (const uint32_t word : top.words) merge(word, left, right, result);
      queue_changed();
    }
    return merges;
  }

 private:
  struct Word {
    size_t start;  // in symbols_
    uint32_t length;
  };
  struct Pair {
    uint64_t symbols;
    int64_t count;
    std::vector<uint32_t> words;  // in which it is new since it was queued last
  };
  struct Entry {
    int64_t count;
    uint64_t pair;    // its symbols
    uint32_t number;  // of it, in pairs_
    std::vector<uint32_t> words;
    bool operator<(const Entry& other) const {
      return count != other.count ? count < other.count : pair > other.pair;
    }
  };

  // The pairs that a merge unmakes and makes beside a symbol, found once for all words.
  struct Neighbour {
    uint32_t merge, gone, made;
  };

  static std::pair<int32_t, int32_t> symbols_of(uint64_t pair) {
    return {static_cast<int32_t>(pair >> 32), static_cast<int32_t>(pair & 0xffffffff)};
  }

  int32_t number(int32_t left, int32_t right) {
    std::u32string name = names_[static_cast<size_t>(left)] + names_[static_cast<size_t>(right)];
    const auto [place, is_new] = numbers_.emplace(name, static_cast<int32_t>(names_.size()));
    if (is_new) names_.push_back(std::move(name));
    return place->second;
  }

  void change(uint32_t number, int64_t by, uint32_t word) {
    Pair& pair = pairs_[number];
    pair.count += by * counts_[word];
    if (by < 0) return;
    if (pair.words.empty()) changed_.push_back(number);
    if (pair.words.empty() || pair.words.back() != word) pair.words.push_back(word);
  }

  // The number of a pair, a new one if it is new.
  uint32_t number_of(int32_t left, int32_t right) {
    const uint64_t symbols = (static_cast<uint64_t>(left) << 32) | static_cast<uint32_t>(right);
    uint32_t& number = pair_numbers_[symbols];  // from 1
    if (number == 0) {
      pairs_.push_back({symbols, 0, {}});
      number = static_cast<uint32_t>(pairs_.size());
    }
    return number - 1;
  }

  // Join a pair in a word, from left to right.
  void merge(uint32_t word, int32_t left, int32_t right, int32_t result) {
    int32_t* symbols = symbols_.data() + words_[word].start;
    const uint32_t length = words_[word].length;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < length; ++i) {
      if (symbols[i] != left || i + 1 == length || symbols[i + 1] != right) {
        symbols[kept++] = symbols[i];
        continue;
      }
      if (kept > 0) {
        const int32_t before = symbols[kept - 1];
        Neighbour& pairs = before_[static_cast<size_t>(before)];
        if (pairs.merge != merge_)
          pairs = {merge_, number_of(before, left), number_of(before, result)};
        change(pairs.gone, -1, word);
        change(pairs.made, +1, word);
      }
      if (i + 2 < length) {
        const int32_t behind = symbols[i + 2];
        Neighbour& pairs = behind_[static_cast<size_t>(behind)];
        if (pairs.merge != merge_)
          pairs = {merge_, number_of(right, behind), number_of(result, behind)};
        change(pairs.gone, -1, word);
        change(pairs.made, +1, word);
      }
      symbols[kept++] = result;
      ++i;
    }
    words_[word].length = kept;
  }

  void queue_changed() {
    for (const uint32_t number : changed_) {
      Pair& pair = pairs_[number];
      if (pair.count > 0) queue_.push({pair.count, pair.symbols, number, std::move(pair.words)});
      pair.words = {};
    }
    changed_.clear();
  }

  std::vector<std::u32string> names_;
  std::unordered_map<std::u32string, int32_t> numbers_;
  std::vector<int32_t> symbols_;
  std::vector<int64_t> counts_;  // of each word
  std::vector<Word> words_;
  std::vector<Pair> pairs_;
  FlatMap<uint32_t> pair_numbers_;
  uint32_t merge_ = 0;                      // the one at hand, from 1
  std::vector<Neighbour> before_, behind_;  // by symbol
  std::vector<uint32_t> changed_;  // numbers of the pairs that are new in some words
  std::priority_queue<Entry> queue_;
};
