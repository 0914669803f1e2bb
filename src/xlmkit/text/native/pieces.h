// Texts to ids, piece by piece; the counterpart of xlmkit.text.pieces.PieceEncoder.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "characters.h"
#include "memory.h"
#include "word_coder.h"
#include "words.h"

class Pieces {
 public:
  // describe: code -> (flags, folded). words: a piece -> its words without case and accents.
  // split: the same for a text that stays whole. maximum: pieces that are remembered. longest:
  // characters of the longest of them.
  Pieces(PyObject* describe, PyObject* words, PyObject* split, Rules rules,
         std::shared_ptr<WordCoder> coder, size_t maximum, size_t longest)
      : words_(words), split_(split), rules_(std::move(rules)), coder_(std::move(coder)),
        characters_(describe), splitter_(rules_, characters_, *coder_), memory_(longest),
        maximum_(maximum) {
    for (PyObject* object : {words_, split_}) Py_INCREF(object);
  }
  ~Pieces() {
    for (PyObject* object : {words_, split_}) Py_DECREF(object);
  }
  Pieces(const Pieces&) = delete;
  Pieces& operator=(const Pieces&) = delete;

  void encode(PyObject* text, std::vector<int32_t>& ids) {
    const Text codes(text);
    if (!may_be_cut(codes)) {
      encode_words(split_, text, ids);
      return;
    }
    if (memory_.size() > maximum_) memory_.clear();
    Codes piece;
    for (size_t i = 0; i <= codes.size(); ++i) {
      const bool ends = i == codes.size() || (codes[i] == ' ' && is_cut(codes, i));
      if (!ends) {
        piece.push_back(codes[i]);
        continue;
      }
      const bool asks = i < codes.size() && (flags(piece.back()) & FULL_STOP);
      encode_piece(piece, asks ? follower(codes[i + 1]) : Follower::NOTHING, ids);
      piece.clear();
    }
  }

  void forget() { memory_.clear(); }

  // How many pieces are remembered.
  size_t size() const { return memory_.size(); }

 private:
  uint32_t flags(uint32_t code) { return characters_[code].flags; }

  bool may_be_cut(const Text& text) {
    if (text.size() == 0 || text[0] == ' ' || text[text.size() - 1] == ' ') return false;
    for (size_t i = 0; i < text.size(); ++i)
      if ((flags(text[i]) & UNCUTTABLE) || (text[i] == ' ' && text[i - 1] == ' ')) return false;
    return true;
  }

  // Whether a text is cut at the space in this place.
  bool is_cut(const Text& text, size_t place) {
    return !(flags(text[place - 1]) & ENDS_BADLY) && !(flags(text[place + 1]) & BEGINS_BADLY);
  }

  Follower follower(uint32_t code) {
    const uint32_t found = flags(code);
    if (found & SMALL) return Follower::SMALL;
    return found & DIGIT ? Follower::DIGIT : Follower::OTHER;
  }

  void encode_piece(Codes& piece, Follower follower, std::vector<int32_t>& ids) {
    const size_t own = piece.size();
    if (follower != Follower::NOTHING) {  // as xlmkit.text.cuts writes it
      piece.push_back('\n');
      piece.push_back(follower == Follower::SMALL ? 'a' : follower == Follower::DIGIT ? '1' : 'A');
    }
    const uint64_t hash = Memory::hash(piece);
    if (memory_.recall(hash, piece, ids)) return;
    const size_t before = ids.size();
    const Codes alone(piece.begin(), piece.begin() + static_cast<std::ptrdiff_t>(own));
    if (!splitter_.encode(alone, follower, ids)) encode_words(words_, string_of(piece).get(), ids);
    memory_.remember(hash, piece, ids.data() + before, ids.size() - before);
  }

  // Let Python split a text, and append the ids of its words.
  void encode_words(PyObject* splitting, PyObject* text, std::vector<int32_t>& ids) {
    const Owned words(PyObject_CallFunctionObjArgs(splitting, text, nullptr));
    if (!words) throw PythonError();
    const Owned list(PySequence_Fast(words.get(), "a list of words is expected"));
    if (!list) throw PythonError();
    for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(list.get()); ++i) {
      PyObject* word = PySequence_Fast_GET_ITEM(list.get(), i);
      if (!PyUnicode_Check(word)) {
        PyErr_SetString(PyExc_TypeError, "a word is expected to be a string");
        throw PythonError();
      }
      const Text codes(word);
      Codes characters;
      for (size_t j = 0; j < codes.size(); ++j) characters.push_back(codes[j]);
      coder_->encode(characters, ids);
    }
  }

  PyObject *words_, *split_;
  Rules rules_;
  std::shared_ptr<WordCoder> coder_;
  Characters characters_;
  PieceSplitter splitter_;
  Memory memory_;
  size_t maximum_;
};
