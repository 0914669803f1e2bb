// Words without case and accents, where that is decided by each character for itself.
#pragma once

#include "characters.h"
#include "span_table.h"

class Folds {
 public:
  // describe: code -> (UNCUTTABLE where Python must fold the whole word, the character folded).
  explicit Folds(PyObject* describe) : characters_(describe) {}

  // Append the folded word; return false, and append nothing, where Python must fold it.
  bool fold(Span<uint32_t> word, Codes& folded) {
    const size_t before = folded.size();
    for (size_t i = 0; i < word.size; ++i) {
      const Character character = characters_[word.start[i]];
      if (character.flags & UNCUTTABLE) {
        folded.resize(before);
        return false;
      }
      characters_.append_folded(character, folded);
    }
    return true;
  }

 private:
  Characters characters_;
};
