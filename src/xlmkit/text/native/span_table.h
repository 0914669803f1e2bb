// Spans of characters and a number for each: a hash table without deletion.
//
// A slot holds the hash beside the place of its record, and a record all that belongs together; so
// finding a span takes two lines of the processor's cache, and copies nothing.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

// Some characters, one, two or four bytes each, as Python's strings hold them.
template <typename Code>
struct Span {
  const Code* start;
  size_t size;
};

// The hash of a span, made character by character (FNV-1a).
class SpanHash {
 public:
  void add(uint32_t code) { value_ = (value_ ^ code) * 0x100000001b3ULL; }

  // The upper bits know of all characters, the lower ones hardly of their upper bits.
  uint32_t value() const { return static_cast<uint32_t>(value_ >> 32 ^ value_); }

 private:
  uint64_t value_ = 0xcbf29ce484222325ULL;
};

template <typename Code>
uint32_t hash_of(Span<Code> span) {
  SpanHash hash;
  for (size_t i = 0; i < span.size; ++i) hash.add(span.start[i]);
  return hash.value();
}

class SpanTable {
 public:
  SpanTable() { clear(); }

  void clear() {
    size_ = 0;
    records_.assign(1, 0);  // no record has place 0, which marks a free slot
    slots_.assign(std::max<size_t>(slots_.size(), 256), {0, 0});
  }

  size_t size() const { return size_; }

  // Return a span's number, nullptr if it has none. mark: 0 to 3, parts spans that look the same.
  template <typename Code>
  const uint32_t* find(uint32_t hash, Span<Code> span, uint32_t mark = 0) const {
    const size_t mask = slots_.size() - 1;
    for (size_t place = hash & mask; slots_[place].record != 0; place = (place + 1) & mask) {
      if (slots_[place].hash != hash) continue;
      const uint32_t* record = records_.data() + slots_[place].record;
      if (record[0] == header(span.size, mark) && is_equal(record + 2, span)) return record + 1;
    }
    return nullptr;
  }

  // Give a span that has none a number; return its place.
  template <typename Code>
  uint32_t insert(uint32_t hash, Span<Code> span, uint32_t number, uint32_t mark = 0) {
    if (4 * size_ >= 3 * slots_.size()) grow();
    const auto place = static_cast<uint32_t>(records_.size());
    put({hash, place});
    ++size_;
    records_.push_back(header(span.size, mark));
    records_.push_back(number);
    records_.insert(records_.end(), span.start, span.start + span.size);
    return place;
  }

  // The span in a place, until another is inserted.
  Span<uint32_t> at(uint32_t place) const {
    return {records_.data() + place + 2, records_[place] >> 2};
  }

 private:
  struct Slot {
    uint32_t hash, record;
  };

  static uint32_t header(size_t size, uint32_t mark) {
    return static_cast<uint32_t>(size) << 2 | mark;
  }

  template <typename Code>
  static bool is_equal(const uint32_t* codes, Span<Code> span) {
    for (size_t i = 0; i < span.size; ++i)
      if (codes[i] != span.start[i]) return false;
    return true;
  }

  void put(Slot slot) {
    const size_t mask = slots_.size() - 1;
    size_t place = slot.hash & mask;
    while (slots_[place].record != 0) place = (place + 1) & mask;
    slots_[place] = slot;
  }

  void grow() {
    std::vector<Slot> before(2 * slots_.size(), {0, 0});
    before.swap(slots_);
    for (const Slot& slot : before)
      if (slot.record != 0) put(slot);
  }

  size_t size_ = 0;
  std::vector<Slot> slots_;
  std::vector<uint32_t> records_;  // of each span its size and mark, its number, its characters
};
