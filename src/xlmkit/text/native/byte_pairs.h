// Byte-pair encoding of one word: the reference algorithm of xlmkit.text.bpe.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "python.h"
#include "word_coder.h"

class BytePairs : public WordCoder {
 public:
  // symbols: the id of each symbol. merges: (left, right, result) by rank, as numbers of symbols.
  // characters: (code, number inside a word, number at its end), -1 where there is no symbol.
  BytePairs(const std::vector<int32_t>& symbols, const std::vector<int32_t>& merges,
            const std::vector<int32_t>& characters, int32_t unknown)
      : ids_(symbols), unknown_(unknown) {
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
      const auto found = characters_.find(word[i]);
      const Ends ends = found == characters_.end() ? Ends{-1, -1} : found->second;
      symbols_.push_back(i + 1 < word.size() ? ends.inside : ends.last);
    }
    while (merge_best()) {
    }
    for (const int32_t symbol : symbols_) ids.push_back(symbol < 0 ? unknown_ : ids_[symbol]);
  }

 private:
  struct Merge {
    int32_t rank, result;
  };
  struct Ends {
    int32_t inside, last;
  };

  static uint64_t key(int32_t left, int32_t right) {
    return (static_cast<uint64_t>(static_cast<uint32_t>(left)) << 32) |
           static_cast<uint32_t>(right);
  }

  // Join all occurrences of the pair with the lowest rank, from left to right.
  bool merge_best() {
    const Merge* best = nullptr;
    uint64_t best_pair = 0;
    for (size_t i = 0; i + 1 < symbols_.size(); ++i) {
      if (symbols_[i] < 0 || symbols_[i + 1] < 0) continue;
      const uint64_t pair = key(symbols_[i], symbols_[i + 1]);
      const auto found = merges_.find(pair);
      if (found != merges_.end() && (best == nullptr || found->second.rank < best->rank)) {
        best = &found->second;
        best_pair = pair;
      }
    }
    if (best == nullptr) return false;
    size_t kept = 0;
    for (size_t i = 0; i < symbols_.size(); ++i, ++kept) {
      const bool joins =
          i + 1 < symbols_.size() && key(symbols_[i], symbols_[i + 1]) == best_pair;
      symbols_[kept] = joins ? best->result : symbols_[i];
      i += joins;
    }
    symbols_.resize(kept);
    return true;
  }

  std::vector<int32_t> ids_;
  int32_t unknown_;
  std::unordered_map<uint64_t, Merge> merges_;
  std::unordered_map<uint32_t, Ends> characters_;
  std::vector<int32_t> symbols_;  // of the word at hand
};
