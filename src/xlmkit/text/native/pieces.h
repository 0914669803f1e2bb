// Texts to ids, piece by piece; the counterpart of xlmkit.text.pieces.PieceEncoder.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "characters.h"
#include "conversions.h"
#include "memory.h"
#include "span_table.h"
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
        characters_(describe), splitter_(rules_, characters_, *coder_),
        memory_(maximum, longest) {
    for (PyObject* object : {words_, split_}) Py_INCREF(object);
  }
  ~Pieces() {
    for (PyObject* object : {words_, split_}) Py_DECREF(object);
  }
  Pieces(const Pieces&) = delete;
  Pieces& operator=(const Pieces&) = delete;

  void encode(PyObject* text, std::vector<int32_t>& ids) {
    const bool cut = visit(text, [&](auto codes) {
      const bool may_be = may_be_cut(codes);
      if (may_be) encode_pieces(codes, ids);
      return may_be;
    });
    if (!cut) encode_words_of(split_, text, *coder_, ids);
  }

  void forget() { memory_.clear(); }

 private:
  uint32_t flags(uint32_t code) { return characters_[code].flags; }

  template <typename Code>
  bool may_be_cut(Span<Code> text) {
    if (text.size == 0 || text.start[0] == ' ' || text.start[text.size - 1] == ' ') return false;
    uint32_t seen = 0, spaces = 0;
    for (size_t i = 0; i < text.size; ++i) {
      seen |= flags(text.start[i]);
      spaces = spaces << 1 | (text.start[i] == ' ');
      if ((spaces & 3) == 3) return false;
    }
    return !(seen & UNCUTTABLE);
  }

  template <typename Code>
  void encode_pieces(Span<Code> text, std::vector<int32_t>& ids) {
    const Code* start = text.start;
    const Code* end = start + text.size;
    SpanHash hash;
    for (const Code* place = start; place < end; ++place) {
      if (*place != ' ' || !is_cut(place)) {
        hash.add(*place);
        continue;
      }
      const bool asks = flags(place[-1]) & FULL_STOP;
      const Span<Code> piece{start, static_cast<size_t>(place - start)};
      encode_piece(piece, hash, asks ? follower(place[1]) : Follower::NOTHING, ids);
      start = place + 1;
      hash = SpanHash();
    }
    encode_piece(Span<Code>{start, static_cast<size_t>(end - start)}, hash, Follower::NOTHING, ids);
  }

  // Whether a text is cut at the space in this place.
  template <typename Code>
  bool is_cut(const Code* place) {
    return !(flags(place[-1]) & ENDS_BADLY) && !(flags(place[1]) & BEGINS_BADLY);
  }

  Follower follower(uint32_t code) {
    const uint32_t found = flags(code);
    if (found & SMALL) return Follower::SMALL;
    return found & DIGIT ? Follower::DIGIT : Follower::OTHER;
  }

  template <typename Code>
  void encode_piece(Span<Code> piece, SpanHash hash, Follower follower,
                    std::vector<int32_t>& ids) {
    const uint32_t mark = static_cast<uint32_t>(follower);
    hash.add(mark);
    if (memory_.recall(hash.value(), piece, mark, ids)) return;
    const size_t before = ids.size();
    if (!splitter_.encode(piece, follower, ids))
      encode_words_of(words_, with_follower(piece, follower).get(), *coder_, ids);
    memory_.remember(hash.value(), piece, mark, ids.data() + before, ids.size() - before);
  }

  // Return a piece and an example of what follows it, as xlmkit.text.cuts writes it.
  template <typename Code>
  static Owned with_follower(Span<Code> piece, Follower follower) {
    Codes codes(piece.start, piece.start + piece.size);
    if (follower != Follower::NOTHING) {
      codes.push_back('\n');
      codes.push_back(follower == Follower::SMALL ? 'a' : follower == Follower::DIGIT ? '1' : 'A');
    }
    return string_of(codes);
  }

  PyObject *words_, *split_;
  Rules rules_;
  std::shared_ptr<WordCoder> coder_;
  Characters characters_;
  PieceSplitter splitter_;
  Memory memory_;
};
