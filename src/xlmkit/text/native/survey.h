// What cleaning and finding duplicates ask of the characters of a text, in one language.
//
// Python describes each character once: its traits, and itself with its case folded.
#pragma once

#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

#include "blake2b.h"
#include "folded_characters.h"
#include "minhash.h"
#include "python.h"

class Survey {
 public:
  // Traits of characters; xlmkit.data.survey has the same.
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
      : characters_(describe, KEPT), is_composed_(Py_NewRef(is_composed)),
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
    uint32_t traits = 0;
    visit(string, [&](const auto* text, size_t size) { traits = append_facts(text, size, facts); });
    return traits;
  }

  // Append the fingerprints of a text, and its bands if they are wanted and it is long.
  void append_prints(PyObject* string, bool with_bands, Prints& prints) {
    Py_ssize_t bytes;
    const char* utf8 = PyUnicode_AsUTF8AndSize(string, &bytes);
    if (utf8 == nullptr) throw PythonError();
    prints.exact.push_back(hash_(utf8, static_cast<size_t>(bytes)));
    visit(string, [&](const auto* text, size_t size) { read_letters(text, size); });
    prints.skeletons.push_back(hash_(letters_.data(), bytes_));
    if (!with_bands || n_words_ < long_) return;
    prints.rows.push_back(static_cast<int64_t>(prints.exact.size()) - 1);
    minhash_.append_bands(words_.data(), n_words_, prints.bands);
  }

 private:
  // Call a function with the characters of a string and how many they are.
  template <typename Read>
  static void visit(PyObject* string, Read read) {
    const void* data = PyUnicode_DATA(string);
    const size_t size = static_cast<size_t>(PyUnicode_GET_LENGTH(string));
    switch (PyUnicode_KIND(string)) {
      case PyUnicode_1BYTE_KIND: return read(static_cast<const Py_UCS1*>(data), size);
      case PyUnicode_2BYTE_KIND: return read(static_cast<const Py_UCS2*>(data), size);
      default: return read(static_cast<const Py_UCS4*>(data), size);
    }
  }

  template <typename Code>
  uint32_t append_facts(const Code* text, size_t size, Facts& facts) {
    size_t words = 0, run = 0, spaces = 0, others = 0, letters = 0, foreign = 0;
    bool counted = false;  // the word at hand
    uint32_t all = COMPOSED, any = 0, before = SPACE;
    for (size_t i = 0; i < size; ++i) {
      const uint32_t traits = characters_[text[i]].traits;
      all &= traits;
      any |= traits;
      if (traits & before & SPACE) any |= UNTIDY;
      before = traits;
      if (traits & UNSPACED) {
        words += ++run % 2;
      } else {
        run = 0;
      }
      const bool parts = traits & (UNSPACED | SPACE), of_word = traits & OF_WORDS;
      words += of_word & !parts & !counted;
      counted = (counted | of_word) & !parts;
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

  // Gather the letters of a text with case folded, in UTF-8, and the keys of its words.
  template <typename Code>
  void read_letters(const Code* text, size_t size) {
    make_room(0, 0, size);
    size_t bytes = 0, words = 0;
    uint64_t key = FNV_START;  // of the word at hand
    bool inside = false;       // a word
    // Without branches, which could not be foretold: what is not to stay is written over.
    const auto take = [&](const Folded& folded) {
      std::memcpy(letters_.data() + bytes, folded.utf8, sizeof folded.utf8);
      bytes += folded.length();
      const bool of_word = folded.traits & OF_WORDS, token = folded.traits & TOKEN;
      const bool goes_on = inside & of_word;
      words_[words] = key;
      words += inside & !of_word;
      key = ((goes_on ? key : FNV_START) ^ folded.code) * FNV_FACTOR;
      words_[words] = key;
      words += token & !goes_on;
      inside = goes_on | (of_word & !token);
    };
    for (size_t i = 0; i < size; ++i) {
      const FoldedCharacters::Entry& entry = characters_[text[i]];
      if (!(entry.traits & FoldedCharacters::SEVERAL)) {
        take(entry.folded);
        continue;
      }
      const std::vector<Folded>& several = characters_.several(text[i]);
      make_room(bytes, words, several.size() + size - i);
      for (const Folded& folded : several) take(folded);
    }
    words_[words] = key;
    bytes_ = bytes;
    n_words_ = words + inside;
  }

  // For so many characters behind what there is.
  void make_room(size_t bytes, size_t words, size_t characters) {
    const size_t more = characters + 1;
    if (letters_.size() < bytes + sizeof(Folded::utf8) * more)
      letters_.resize(bytes + sizeof(Folded::utf8) * more);
    if (words_.size() < words + 2 * more) words_.resize(words + 2 * more);
  }

  static double share(size_t part, size_t of) {
    return static_cast<double>(part) / static_cast<double>(of);
  }

  FoldedCharacters characters_;
  Owned is_composed_, normalize_;
  Blake2b hash_;
  size_t long_;  // words
  MinHash minhash_;
  // Of the text at hand: its letters in so many bytes, and so many words; room for more.
  std::vector<char> letters_;
  Keys words_;
  size_t bytes_ = 0, n_words_ = 0;
};
