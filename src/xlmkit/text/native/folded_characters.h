// What a survey needs to know of each character, asked of Python once and then remembered: its
// traits, and what it is with its case folded, as it goes into the hash of a text's letters.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>
#include <unordered_map>
#include <vector>

#include "conversions.h"
#include "python.h"

// A character of a text whose case is folded.
struct Folded {
  static constexpr int LENGTH = 29;  // the first of three bits of `traits`
  uint32_t code, traits;
  char utf8[4];
  // How many bytes of UTF-8 it has, none where it is left out.
  size_t length() const { return traits >> LENGTH; }
};

class FoldedCharacters {
 public:
  enum : uint32_t { KNOWN = 1 << 0, SEVERAL = 1u << 31 };  // beside the traits of Python

  struct Entry {
    uint32_t traits;  // with SEVERAL, it is not folded to a single character
    Folded folded;
  };

  // kept: the trait of folded characters that have bytes.
  FoldedCharacters(PyObject* describe, uint32_t kept)
      : describe_(Py_NewRef(describe)), kept_(kept),
        table_(static_cast<Entry*>(std::calloc(0x110000, sizeof(Entry)))) {
    if (table_ == nullptr) throw std::bad_alloc();
  }
  ~FoldedCharacters() { std::free(table_); }
  FoldedCharacters(const FoldedCharacters&) = delete;
  FoldedCharacters& operator=(const FoldedCharacters&) = delete;

  const Entry& operator[](uint32_t code) {
    if (!(table_[code].traits & KNOWN)) learn(code);
    return table_[code];
  }

  // What a character becomes whose entry says SEVERAL.
  const std::vector<Folded>& several(uint32_t code) const { return several_.at(code); }

 private:
  void learn(uint32_t code) {
    const Owned answer(PyObject_CallFunction(describe_.get(), "I", code));
    PyObject* string;
    unsigned traits;
    if (!answer || !PyArg_ParseTuple(answer.get(), "IU", &traits, &string)) throw PythonError();
    table_[code].traits = traits | KNOWN;
    const Text text(string);
    std::vector<Folded> folded;
    for (size_t i = 0; i < text.size(); ++i) folded.push_back(as_it_is(text[i]));
    if (folded.size() == 1) {
      table_[code].folded = folded[0];
    } else {
      table_[code].traits |= SEVERAL;
      several_[code] = std::move(folded);
    }
  }

  Folded as_it_is(uint32_t code) {
    Folded folded{code, (*this)[code].traits & ~SEVERAL, {0, 0, 0, 0}};
    std::string bytes;
    append_utf8(code, bytes);
    std::memcpy(folded.utf8, bytes.data(), bytes.size());
    if (folded.traits & kept_) folded.traits |= static_cast<uint32_t>(bytes.size()) << Folded::LENGTH;
    return folded;
  }

  Owned describe_;
  uint32_t kept_;
  Entry* table_;  // pages that are never touched take no memory
  std::unordered_map<uint32_t, std::vector<Folded>> several_;
};
