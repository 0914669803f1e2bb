// What the rules need to know of each character, asked of Python once and then remembered.
//
// There is one source of truth: the functions of xlmkit.text. So no table of Unicode is kept here.
#pragma once

#include "python.h"

#include <cstdint>
#include <cstdlib>
#include <vector>

// Bits of Character::flags; xlmkit.text.compiled has the same.
enum : uint32_t {
  KNOWN = 1 << 0,
  UNCUTTABLE = 1 << 1,    // a text with it stays whole
  BEGINS_BADLY = 1 << 2,  // no cut before it
  ENDS_BADLY = 1 << 3,    // no cut behind it
  FULL_STOP = 1 << 4,     // asks what follows the piece that it ends
  SMALL = 1 << 5,
  DIGIT = 1 << 6,
  WORD = 1 << 7,  // the following are kinds: one at most, and without one Python's rules decide
  ALONE = 1 << 8,
  QUOTE = 1 << 9,
  COMMA = 1 << 10,
  STOP = 1 << 11,
  APOSTROPHE = 1 << 12,
  NUMBER = 1 << 13,  // of a WORD
  LETTER = 1 << 14,  // of a WORD
  VANISHES = 1 << 15,
  SEPARATES = 1 << 16,    // white space, the plain one or one that must not break
  EXPANDS = 1 << 17,      // of no kind: stands for what it has as its folded characters
};
constexpr uint32_t KINDS =
    WORD | ALONE | QUOTE | COMMA | STOP | APOSTROPHE | VANISHES | SEPARATES;

struct Character {
  uint32_t flags;
  uint32_t folded_length;
  uint32_t folded;  // one character itself, of others where they start in Characters::folded
};

class Characters {
 public:
  explicit Characters(PyObject* describe)
      : describe_(describe),
        table_(static_cast<Character*>(std::calloc(SIZE, sizeof(Character)))) {
    Py_INCREF(describe_);
    if (table_ == nullptr) throw std::bad_alloc();
  }
  ~Characters() {
    Py_DECREF(describe_);
    std::free(table_);
  }
  Characters(const Characters&) = delete;
  Characters& operator=(const Characters&) = delete;

  const Character& operator[](uint32_t code) {
    if (code >= SIZE) throw std::invalid_argument("there is no such character");
    if (!(table_[code].flags & KNOWN)) learn(code);
    return table_[code];
  }

  // What is left of a character without case and accents.
  void append_folded(const Character& character, std::vector<uint32_t>& to) const {
    if (character.folded_length == 1) {
      to.push_back(character.folded);
      return;
    }
    const uint32_t* start = folded_.data() + character.folded;
    to.insert(to.end(), start, start + character.folded_length);
  }

 private:
  static constexpr uint32_t SIZE = 0x110000;

  void learn(uint32_t code) {
    Owned answer(PyObject_CallFunction(describe_, "I", code));
    PyObject* folded;
    unsigned flags;
    if (!answer || !PyArg_ParseTuple(answer.get(), "IU", &flags, &folded)) throw PythonError();
    const Text text(folded);
    Character& character = table_[code];
    character.folded_length = static_cast<uint32_t>(text.size());
    character.folded = text.size() == 1 ? text[0] : static_cast<uint32_t>(folded_.size());
    if (text.size() != 1)
      for (size_t i = 0; i < text.size(); ++i) folded_.push_back(text[i]);
    character.flags = flags | KNOWN;
  }

  PyObject* describe_;
  Character* table_;  // pages that are never touched take no memory
  std::vector<uint32_t> folded_;
};
