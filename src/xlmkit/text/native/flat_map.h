// Values by number: a hash table without deletion.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

template <typename Value>
class FlatMap {
 public:
  // size: how many keys to have room for; it grows where there are more.
  explicit FlatMap(size_t size = 0) {
    size_t slots = 16;
    while (slots < 2 * size) slots *= 2, --shift_;
    slots_.assign(slots, {FREE, Value()});
  }

  // Return the value of a key, Value() at first.
  Value& operator[](uint64_t key) {
    size_t found = place(key);
    if (slots_[found].key == FREE) {
      if (2 * ++size_ > slots_.size()) grow(), found = place(key);
      slots_[found].key = key;
    }
    return slots_[found].value;
  }

  // Return the value of a key, nullptr if it has none.
  const Value* find(uint64_t key) const {
    const Slot& slot = slots_[place(key)];
    return slot.key == key ? &slot.value : nullptr;
  }

 private:
  static constexpr uint64_t FREE = ~uint64_t{0};  // no key

  struct Slot {
    uint64_t key;
    Value value;
  };

  // Where a key stands, or would stand.
  size_t place(uint64_t key) const {
    size_t place = static_cast<size_t>((key * 0x9e3779b97f4a7c15ULL) >> shift_);
    while (slots_[place].key != key && slots_[place].key != FREE)
      place = (place + 1) & (slots_.size() - 1);
    return place;
  }

  void grow() {
    std::vector<Slot> before(4 * slots_.size(), {FREE, Value()});
    before.swap(slots_);
    shift_ -= 2;
    for (const Slot& slot : before)
      if (slot.key != FREE) slots_[place(slot.key)] = slot;
  }

  int shift_ = 60;  // what leaves as many bits as count the slots
  std::vector<Slot> slots_;
  size_t size_ = 0;  // keys
};
