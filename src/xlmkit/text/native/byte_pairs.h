// Byte-pair encoding of one word: the reference algorithm of xlmkit.text.bpe.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <limits>
#include <queue>
#include <stdexcept>
#include <utility>
#include <vector>

#include "flat_map.h"
#include "python.h"
#include "word_coder.h"

class BytePairs : public WordCoder {
 public:
  // symbols: the id of each symbol. merges: (left, right, result) by rank, as numbers of symbols.
  // characters: (code, number inside a word, number at its end), -1 where there is no symbol.
  BytePairs(const std::vector<int32_t>& symbols, const std::vector<int32_t>& merges,
            const std::vector<int32_t>& characters, int32_t unknown)
      : ids_(symbols), unknown_(unknown), merges_(merges.size() / 3),
        characters_(characters.size() / 3) {
    for (const std::vector<int32_t>* numbers : {&merges, &characters})
      if (numbers->size() % 3 != 0) throw std::invalid_argument("rows of three are expected");
    for (const int32_t symbol : merges) check(symbol);
    for (size_t i = 0; i < characters.size(); ++i)
      if (i % 3 != 0 && characters[i] != -1) check(characters[i]);
    for (size_t i = 0; i + 2 < merges.size(); i += 3)
      merges_[key(merges[i], merges[i + 1])] = {static_cast<int32_t>(i / 3), merges[i + 2]};
    for (size_t i = 0; i + 2 < characters.size(); i += 3)
      characters_[static_cast<uint32_t>(characters[i])] = {characters[i + 1], characters[i + 2]};
  }

  // Append the ids of a word; an empty one has none.
  void encode(const Codes& word, std::vector<int32_t>& ids) override {
    if (word.empty()) return;
    symbols_.clear();
    for (size_t i = 0; i < word.size(); ++i) {
      const Ends* found = characters_.find(word[i]);
      const Ends ends = found == nullptr ? Ends{-1, -1} : *found;
      symbols_.push_back(i + 1 < word.size() ? ends.inside : ends.last);
    }
    if (symbols_.size() > LONG) {
      merge_long();
    } else {
      merge_short();
    }
    for (const int32_t symbol : symbols_) ids.push_back(symbol < 0 ? unknown_ : ids_[symbol]);
  }

 private:
  void check(int32_t symbol) const {
    if (symbol < 0 || static_cast<size_t>(symbol) >= ids_.size())
      throw std::invalid_argument("a symbol has no id");
  }

  struct Merge {
    int32_t rank, result;
  };
  struct Ends {
    int32_t inside, last;
  };

  static constexpr Merge NONE{std::numeric_limits<int32_t>::max(), -1};

  // From how many symbols on a queue of pairs is quicker than looking at all of them again.
  static constexpr size_t LONG = 128;

  static uint64_t key(int32_t left, int32_t right) {
    return (static_cast<uint64_t>(static_cast<uint32_t>(left)) << 32) |
           static_cast<uint32_t>(right);
  }

  // Join all occurrences of the pair with the lowest rank, from left to right, until none merges.
  void merge_short() {
    pairs_.clear();
    for (size_t i = 0; i + 1 < symbols_.size(); ++i)
      pairs_.push_back(merge_of(symbols_[i], symbols_[i + 1]));
    while (!pairs_.empty()) {
      const Merge best = *std::min_element(
          pairs_.begin(), pairs_.end(), [](Merge a, Merge b) { return a.rank < b.rank; });
      if (best.rank == NONE.rank) return;
      join(best);
    }
  }

  void join(Merge best) {
    size_t kept = 0;
    bool changed = false;  // the symbol that was kept last
    for (size_t i = 0; i < symbols_.size(); ++i, ++kept) {
      const bool joins = i < pairs_.size() && pairs_[i].rank == best.rank;
      const Merge before = i > 0 ? pairs_[i - 1] : NONE;
      symbols_[kept] = joins ? best.result : symbols_[i];
      if (kept > 0)
        pairs_[kept - 1] =
            joins || changed ? merge_of(symbols_[kept - 1], symbols_[kept]) : before;
      changed = joins;
      i += joins;
    }
    symbols_.resize(kept);
    pairs_.resize(kept - 1);
  }

  Merge merge_of(int32_t left, int32_t right) const {
    if (left < 0 || right < 0) return NONE;
    const Merge* found = merges_.find(key(left, right));
    return found == nullptr ? NONE : *found;
  }

  // The same as `merge_short`. Pairs wait by rank and place; all that have one
  // rank are taken from the queue before the first is joined, since joining them may make pairs
  // that are better, whose turn is only then. Joining a pair never makes the same pair again.
  void merge_long() {
    const size_t end = symbols_.size();
    std::vector<size_t> next(end), before(end);  // the symbols that are left, as a chain
    for (size_t i = 0; i < end; ++i) next[i] = i + 1, before[i] = i - 1;  // before the first: wraps
    using Waiting = std::pair<int32_t, size_t>;
    std::priority_queue<Waiting, std::vector<Waiting>, std::greater<Waiting>> queue;
    const auto wait = [&](size_t place) {
      if (place >= end || next[place] >= end) return;
      const Merge merge = merge_of(symbols_[place], symbols_[next[place]]);
      if (merge.rank != NONE.rank) queue.push({merge.rank, place});
    };
    for (size_t i = 0; i < end; ++i) wait(i);
    std::vector<bool> gone(end);
    std::vector<size_t> places;
    while (!queue.empty()) {
      const int32_t rank = queue.top().first;
      for (places.clear(); !queue.empty() && queue.top().first == rank; queue.pop())
        places.push_back(queue.top().second);
      for (const size_t place : places) {
        if (gone[place] || next[place] >= end) continue;
        const Merge merge = merge_of(symbols_[place], symbols_[next[place]]);
        if (merge.rank != rank) continue;
        const size_t joined = next[place];
        gone[joined] = true;
        symbols_[place] = merge.result;
        next[place] = next[joined];
        if (next[place] < end) before[next[place]] = place;
        wait(before[place]);
        wait(place);
      }
    }
    size_t kept = 0;
    for (size_t i = 0; i < end; i = next[i]) symbols_[kept++] = symbols_[i];
    symbols_.resize(kept);
  }

  std::vector<int32_t> ids_;
  int32_t unknown_;
  FlatMap<Merge> merges_;
  FlatMap<Ends> characters_;
  std::vector<int32_t> symbols_;  // of the word at hand
  std::vector<Merge> pairs_;      // what each symbol and the next merge to
};
