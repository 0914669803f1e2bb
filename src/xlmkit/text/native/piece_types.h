// The types of the Python module that turn texts and words into ids: `BytePairs`, `Pieces` and
// `KnownWords`. Part of module.cpp.
#pragma once

#include <memory>
#include <set>

#include "byte_pairs.h"
#include "conversions.h"
#include "counted_words.h"
#include "holder.h"
#include "known_words.h"
#include "pieces.h"
#include "python.h"

namespace {

using SharedPairs = std::shared_ptr<BytePairs>;

PyTypeObject* byte_pairs_type = nullptr;

PyObject* new_byte_pairs(PyTypeObject* type, PyObject* arguments, PyObject*) {
  PyObject *symbols, *merges, *characters;
  int unknown;
  if (!PyArg_ParseTuple(arguments, "OOOi", &symbols, &merges, &characters, &unknown))
    return nullptr;
  return guarded<PyObject*>(nullptr, [&] {
    return hold(type, std::make_unique<SharedPairs>(std::make_shared<BytePairs>(
                          numbers_of(symbols), numbers_of(merges), numbers_of(characters),
                          unknown)));
  });
}

// The ids of words, end to end, and how many each has, which `encode` appends one by one.
template <typename Encode>
PyObject* ids_of_words(PyObject* arguments, Encode encode) {
  PyObject *codes, *sizes;
  if (!PyArg_ParseTuple(arguments, "OO", &codes, &sizes)) return nullptr;
  return guarded<PyObject*>(nullptr, [&]() -> PyObject* {
    std::vector<int32_t> ids, lengths;
    for_each_word(numbers_of<uint32_t>(codes), numbers_of(sizes), [&](Span<uint32_t> word) {
      const size_t before = ids.size();
      encode(word, ids);
      lengths.push_back(static_cast<int32_t>(ids.size() - before));
    });
    return PyTuple_Pack(2, bytes_of(ids).get(), bytes_of(lengths).get());
  });
}

PyObject* encode_words(PyObject* self, PyObject* arguments) {
  BytePairs& pairs = **reinterpret_cast<Holder<SharedPairs>*>(self)->value;
  Codes at_hand;
  return ids_of_words(arguments, [&](Span<uint32_t> word, std::vector<int32_t>& ids) {
    at_hand.assign(word.start, word.start + word.size);
    pairs.encode(at_hand, ids);
  });
}

PyMethodDef byte_pairs_methods[] = {
    {"encode", encode_words, METH_VARARGS, "Return the ids of words, and how many each has."},
    {nullptr, nullptr, 0, nullptr}};

std::set<Codes> words_of(PyObject* iterable) {
  std::set<Codes> words;
  for_each_string(iterable, [&](PyObject* string) { words.insert(codes_of(string)); });
  return words;
}

PyObject* new_pieces(PyTypeObject* type, PyObject* arguments, PyObject*) {
  PyObject *describe, *words, *split, *prefixes, *numeric_prefixes, *pairs;
  int apostrophes, exchange;
  Py_ssize_t maximum, longest;
  if (!PyArg_ParseTuple(arguments, "OOOiiOOO!nn", &describe, &words, &split, &apostrophes,
                        &exchange, &prefixes, &numeric_prefixes, byte_pairs_type, &pairs, &maximum,
                        &longest))
    return nullptr;
  return guarded<PyObject*>(nullptr, [&] {
    Rules rules{static_cast<Apostrophes>(apostrophes), static_cast<Exchange>(exchange),
                words_of(prefixes), words_of(numeric_prefixes)};
    return hold(type, std::make_unique<Pieces>(
                          describe, words, split, std::move(rules),
                          *reinterpret_cast<Holder<SharedPairs>*>(pairs)->value,
                          static_cast<size_t>(maximum), static_cast<size_t>(longest)));
  });
}

PyObject* encode(PyObject* self, PyObject* texts) {
  Pieces& pieces = *reinterpret_cast<Holder<Pieces>*>(self)->value;
  return guarded<PyObject*>(nullptr, [&]() -> PyObject* {
    Owned rows(PyList_New(0));
    if (!rows) throw PythonError();
    std::vector<int32_t> ids;
    for_each_string(texts, [&](PyObject* text) {
      ids.clear();
      pieces.encode(text, ids);
      if (PyList_Append(rows.get(), list_of(ids).get()) < 0) throw PythonError();
    });
    return rows.release();
  });
}

// The ids of texts, end to end, and how many each has.
PyObject* encode_flat(PyObject* self, PyObject* texts) {
  Pieces& pieces = *reinterpret_cast<Holder<Pieces>*>(self)->value;
  return guarded<PyObject*>(nullptr, [&]() -> PyObject* {
    std::vector<int32_t> ids, lengths;
    for_each_string(texts, [&](PyObject* text) {
      const size_t before = ids.size();
      pieces.encode(text, ids);
      lengths.push_back(static_cast<int32_t>(ids.size() - before));
    });
    return PyTuple_Pack(2, bytes_of(ids).get(), bytes_of(lengths).get());
  });
}

PyObject* forget(PyObject* self, PyObject*) {
  reinterpret_cast<Holder<Pieces>*>(self)->value->forget();
  Py_RETURN_NONE;
}

PyMethodDef pieces_methods[] = {
    {"encode", encode, METH_O, "Return the ids of each text."},
    {"encode_flat", encode_flat, METH_O, "Return the ids of all texts, and how many each has."},
    {"forget", forget, METH_NOARGS, "Forget all pieces."},
    {nullptr, nullptr, 0, nullptr}};

PyObject* new_known_words(PyTypeObject* type, PyObject* arguments, PyObject*) {
  PyObject *describe, *fold, *pairs;
  Py_ssize_t maximum, longest;
  if (!PyArg_ParseTuple(arguments, "OOO!nn", &describe, &fold, byte_pairs_type, &pairs, &maximum,
                        &longest))
    return nullptr;
  return guarded<PyObject*>(nullptr, [&] {
    return hold(type, std::make_unique<KnownWords>(
                          describe, fold, *reinterpret_cast<Holder<SharedPairs>*>(pairs)->value,
                          static_cast<size_t>(maximum), static_cast<size_t>(longest)));
  });
}

PyObject* encode_known_words(PyObject* self, PyObject* arguments) {
  KnownWords& words = *reinterpret_cast<Holder<KnownWords>*>(self)->value;
  return ids_of_words(arguments, [&](Span<uint32_t> word, std::vector<int32_t>& ids) {
    words.encode(word, ids);
  });
}

PyObject* forget_known_words(PyObject* self, PyObject*) {
  reinterpret_cast<Holder<KnownWords>*>(self)->value->forget();
  Py_RETURN_NONE;
}

PyMethodDef known_words_methods[] = {
    {"encode", encode_known_words, METH_VARARGS,
     "Return the ids of words without case and accents, and how many each has."},
    {"forget", forget_known_words, METH_NOARGS, "Forget all words."},
    {nullptr, nullptr, 0, nullptr}};

bool add_piece_types(PyObject* module) {
  byte_pairs_type = add_type<SharedPairs>(module, "xlmkit.text._native.BytePairs",
                                          "Byte-pair encoding of words.", new_byte_pairs,
                                          byte_pairs_methods);
  return byte_pairs_type != nullptr &&
         add_type<Pieces>(module, "xlmkit.text._native.Pieces",
                          "Encodes the texts of one language.", new_pieces, pieces_methods) &&
         add_type<KnownWords>(module, "xlmkit.text._native.KnownWords",
                              "Encodes words, and remembers them.", new_known_words,
                              known_words_methods);
}

}  // namespace
