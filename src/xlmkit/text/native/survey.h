// What cleaning and finding duplicates ask of the characters of a text, in one language.
//
// Python describes each character once: its traits, and itself with its case folded.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "blake2b.h"
#include "characters.h"
#include "conversions.h"
#include "minhash.h"

class Survey {
 public:
  // Traits, beside KNOWN; xlmkit.data.survey has the same.
  enum : uint32_t {
    UNTIDY = 1 << 1,     // removed or replaced by normalisation
    SPACE = 1 << 2,
    OF_WORDS = 1 << 3,   // \w
    UNSPACED = 1 << 4,   // of a script without spaces, where two characters count as a word
    LETTER_HERE = 1 << 5,
    MARK = 1 << 6,
    OF_SCRIPT = 1 << 7,  // a letter that some script owns
    FOREIGN = 1 << 8,    // one of a script that the language is not written in
    KEPT = 1 << 9,       // a letter or mark, by which texts are compared
    TOKEN = 1 << 10,     // a token by itself when pairs of words are compared
    COMPOSED = 1 << 11,  // texts of such characters alone are in NFC
  };
  // Of texts, in their order.
  struct Facts {
    std::vector<int64_t> words;
    std::vector<double> letters, script;
  };
  // Of texts: fingerprints of all; the rows of the long ones, and their bands end to end.
  struct Prints {
    Keys exact, skeletons;
    std::vector<int64_t> rows;
    Keys bands;
  };

  // is_composed, normalize: Python's, of a text. hash: gives fingerprints. words: from how many on
  // a text is long and has bands.
  Survey(PyObject* describe, PyObject* is_composed, PyObject* normalize, const Blake2b& hash,
         size_t words, MinHash minhash)
      : characters_(describe), is_composed_(Py_NewRef(is_composed)),
        normalize_(Py_NewRef(normalize)), hash_(hash), long_(words),
        minhash_(std::move(minhash)) {}

  // Return the normal form of a text, and append its facts.
  Owned look(PyObject* string, Facts& facts) {
    const uint32_t traits = append_facts(string, facts);
    if (traits & UNTIDY || !(traits & COMPOSED || is_composed(string))) {
      facts.words.pop_back(), facts.letters.pop_back(), facts.script.pop_back();
      Owned normal(PyObject_CallOneArg(normalize_.get(), string));
      if (!normal) throw PythonError();
      append_facts(normal.get(), facts);
      return normal;
    }
    return Owned(Py_NewRef(string));
  }

  // Append the facts of a text; return whether all of it is COMPOSED, and anything UNTIDY.
  uint32_t append_facts(PyObject* string, Facts& facts) {
    const void* data = PyUnicode_DATA(string);
    const size_t size = static_cast<size_t>(PyUnicode_GET_LENGTH(string));
    switch (PyUnicode_KIND(string)) {
      case PyUnicode_1BYTE_KIND:
        return append_facts(static_cast<const Py_UCS1*>(data), size, facts);
      case PyUnicode_2BYTE_KIND:
        return append_facts(static_cast<const Py_UCS2*>(data), size, facts);
      default:
        return append_facts(static_cast<const Py_UCS4*>(data), size, facts);
    }
  }

  // Append the fingerprints of a text, and its bands if they are wanted and it is long.
  void append_prints(const Text& text, bool with_bands, Prints& prints) {
    prints.exact.push_back(hash_(utf8_of(text)));
    fold(text);
    word_.clear();
    for (const uint32_t code : folded_)
      if (characters_[code].flags & KEPT) append_utf8(code, word_);
    prints.skeletons.push_back(hash_(word_));
    if (with_bands) append_bands(prints);
  }

 private:
  template <typename Code>
  uint32_t append_facts(const Code* text, size_t size, Facts& facts) {
    size_t words = 0, run = 0, spaces = 0, others = 0, letters = 0, foreign = 0;
    bool counted = false;  // the word at hand
    uint32_t all = COMPOSED, any = 0, before = SPACE;
    for (size_t i = 0; i < size; ++i) {
      const uint32_t traits = characters_[text[i]].flags;
      all &= traits;
      any |= traits | (traits & before & SPACE ? UNTIDY : 0);
      before = traits;
      if (traits & UNSPACED) {
        words += ++run % 2;
      } else {
        run = 0;
      }
      if (traits & (UNSPACED | SPACE)) {
        counted = false;
      } else if ((traits & OF_WORDS) && !counted) {
        counted = true;
        ++words;
      }
      spaces += text[i] == ' ';
      others += text[i] != ' ' && !(traits & (LETTER_HERE | MARK));
      letters += (traits & OF_SCRIPT) != 0;
      foreign += (traits & FOREIGN) != 0;
    }
    if (size && before & SPACE) any |= UNTIDY;
    const size_t characters = size - spaces;
    facts.words.push_back(static_cast<int64_t>(words));
    facts.letters.push_back(characters ? 1.0 - share(others, characters) : 0.0);
    facts.script.push_back(letters ? 1.0 - share(foreign, letters) : 1.0);
    return all | (any & UNTIDY);
  }

  bool is_composed(PyObject* string) {
    const Owned answer(PyObject_CallOneArg(is_composed_.get(), string));
    if (!answer) throw PythonError();
    return answer.get() == Py_True;
  }

  static constexpr uint64_t FNV_START = 0xcbf29ce484222325ULL, FNV_FACTOR = 0x100000001b3ULL;

  // Append the row of the last text and its bands, if it has enough words.
  void append_bands(Prints& prints) {
    words_.clear();
    for (size_t i = 0; i < folded_.size();) {
      const size_t start = i;
      const uint32_t traits = characters_[folded_[i++]].flags;
      if (!(traits & TOKEN)) {
        if (!(traits & OF_WORDS)) continue;
        while (i < folded_.size() && (characters_[folded_[i]].flags & OF_WORDS)) ++i;
      }
      uint64_t key = FNV_START;
      for (size_t place = start; place < i; ++place) key = (key ^ folded_[place]) * FNV_FACTOR;
      words_.push_back(key);
    }
    if (words_.size() < long_) return;
    prints.rows.push_back(static_cast<int64_t>(prints.exact.size()) - 1);
    minhash_.append_bands(words_, prints.bands);
  }

  static double share(size_t part, size_t of) {
    return static_cast<double>(part) / static_cast<double>(of);
  }

  void fold(const Text& text) {
    folded_.clear();
    for (size_t i = 0; i < text.size(); ++i) {
      const Character character = characters_[text[i]];
      characters_.append_folded(character, folded_);
    }
  }

  Characters characters_;
  Owned is_composed_, normalize_;
  Blake2b hash_;
  size_t long_;  // words
  MinHash minhash_;
  Codes folded_;  // of the text at hand
  Keys words_;    // of it
  std::string word_;
};
