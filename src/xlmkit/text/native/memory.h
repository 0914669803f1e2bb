// Pieces of text that were seen before, and their ids: a hash table without deletion.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "python.h"

class Memory {
 public:
  // longest: characters of the longest piece that is remembered.
  explicit Memory(size_t longest) : longest_(longest) { clear(); }

  void clear() {
    entries_.clear();
    codes_.clear();
    ids_.clear();
    slots_.assign(1024, 0);
  }

  size_t size() const { return entries_.size(); }

  // Append the ids of a piece, if it is known.
  bool recall(uint64_t hash, const Codes& piece, std::vector<int32_t>& ids) const {
    const uint32_t number = slots_[slot(hash, piece)];
    if (number == 0) return false;
    const Entry& entry = entries_[number - 1];
    ids.insert(ids.end(), ids_.begin() + entry.ids, ids_.begin() + entry.ids + entry.ids_size);
    return true;
  }

  // Long pieces hardly come again, and are not remembered; so memory has a limit.
  void remember(uint64_t hash, const Codes& piece, const int32_t* ids, size_t size) {
    if (piece.size() > longest_) return;
    if (2 * (entries_.size() + 1) > slots_.size()) grow();
    const size_t place = slot(hash, piece);
    if (slots_[place] != 0) return;
    entries_.push_back({hash, static_cast<uint32_t>(codes_.size()),
                        static_cast<uint32_t>(ids_.size()), static_cast<uint32_t>(piece.size()),
                        static_cast<uint32_t>(size)});
    codes_.insert(codes_.end(), piece.begin(), piece.end());
    ids_.insert(ids_.end(), ids, ids + size);
    slots_[place] = static_cast<uint32_t>(entries_.size());
  }

  // The hash of a piece (FNV-1a over its characters, stirred).
  static uint64_t hash(const Codes& piece) {
    uint64_t value = 0xcbf29ce484222325ULL;
    for (const uint32_t code : piece) value = (value ^ code) * 0x100000001b3ULL;
    return value ^ (value >> 29);
  }

 private:
  struct Entry {
    uint64_t hash;
    uint32_t codes, ids, codes_size, ids_size;
  };

  size_t slot(uint64_t hash, const Codes& piece) const {
    const size_t mask = slots_.size() - 1;
    for (size_t place = hash & mask;; place = (place + 1) & mask) {
      if (slots_[place] == 0) return place;
      const Entry& entry = entries_[slots_[place] - 1];
      if (entry.hash == hash && entry.codes_size == piece.size() &&
          std::equal(piece.begin(), piece.end(), codes_.begin() + entry.codes))
        return place;
    }
  }

  void grow() {
    slots_.assign(4 * slots_.size(), 0);
    const size_t mask = slots_.size() - 1;
    for (size_t number = 0; number < entries_.size(); ++number) {
      size_t place = entries_[number].hash & mask;
      while (slots_[place] != 0) place = (place + 1) & mask;
      slots_[place] = static_cast<uint32_t>(number + 1);
    }
  }

  size_t longest_;
  std::vector<Entry> entries_;
  std::vector<uint32_t> codes_;  // of all pieces, end to end
  std::vector<int32_t> ids_;     // of all pieces, end to end
  std::vector<uint32_t> slots_;  // number of an entry, from 1; 0 is free
};
