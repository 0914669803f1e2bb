// Words without case and accents, where that is decided by each character for itself.
#pragma once

#include <string>

#include "characters.h"
#include "conversions.h"

class Folds {
 public:
  // describe: code -> (UNCUTTABLE where Python must fold the whole word, the character folded).
  explicit Folds(PyObject* describe) : characters_(describe) {}

  // Return the folded word (itself if folding leaves it as it is), None where Python must fold it, or nothing is left of it.
  Owned fold(PyObject* word) {
    const Text text(word);
    folded_.clear();
    bool is_same = true;
    for (size_t i = 0; i < text.size(); ++i) {
      const Character character = characters_[text[i]];
      if (character.flags & UNCUTTABLE) return Owned(Py_NewRef(Py_None));
      characters_.append_folded(character, folded_);
      is_same = is_same && folded_.size() == i + 1 && folded_.back() == text[i];
    }
    if (is_same && text.size() > 0) return Owned(Py_NewRef(word));
    return folded_.empty() ? Owned(Py_NewRef(Py_None)) : string_of(folded_);
  }

 private:
  Characters characters_;
  Codes folded_;  // of the word at hand
};
