// Pieces of text that were seen before, and their ids.
#pragma once

#include <cstdint>
#include <vector>

#include "span_table.h"

class Memory {
 public:
  // maximum: pieces that are remembered before all are forgotten. longest: characters of the
  // longest of them.
  Memory(size_t maximum, size_t longest) : maximum_(maximum), longest_(longest) {}

  void clear() {
    pieces_.clear();
    ids_.clear();
  }

  // Append the ids of a piece, if it is known.
  template <typename Code>
  bool recall(uint32_t hash, Span<Code> piece, uint32_t mark, std::vector<int32_t>& ids) const {
    const uint32_t* found = pieces_.find(hash, piece, mark);
    if (found == nullptr) return false;
    if (*found & ONE) {
      ids.push_back(static_cast<int32_t>(*found & ~ONE));
      return true;
    }
    const int32_t* row = ids_.data() + *found;
    for (int32_t i = 1; i <= row[0]; ++i) ids.push_back(row[i]);
    return true;
  }

  // Long pieces hardly come again, and are not remembered; so memory has a limit.
  template <typename Code>
  void remember(uint32_t hash, Span<Code> piece, uint32_t mark, const int32_t* ids, size_t size) {
    if (piece.size > longest_) return;
    if (pieces_.size() > maximum_) clear();
    if (size == 1 && ids[0] >= 0) {
      pieces_.insert(hash, piece, ONE | static_cast<uint32_t>(ids[0]), mark);
      return;
    }
    pieces_.insert(hash, piece, static_cast<uint32_t>(ids_.size()), mark);
    ids_.push_back(static_cast<int32_t>(size));
    ids_.insert(ids_.end(), ids, ids + size);
  }

 private:
  // Marks the number of a piece that is its only id, not the place of its ids.
  static constexpr uint32_t ONE = 1u << 31;

  size_t maximum_, longest_;
  SpanTable pieces_;
  std::vector<int32_t> ids_;  // of each piece that has not just one: how many, then those
};
