// The types of the Python module that count words: `Words`, `WordSums` and `Folds`. Part of
// module.cpp.
#pragma once

#include <memory>

#include "conversions.h"
#include "counted_words.h"
#include "folds.h"
#include "holder.h"
#include "piece_types.h"
#include "pieces.h"
#include "python.h"
#include "word_table.h"

namespace {

// Counts the words of texts; forgets pieces with the words, since pieces hold their numbers.
struct Words {
  std::shared_ptr<WordTable> table;
  Pieces pieces;
  size_t maximum, characters;  // words; characters of all words
};

PyObject* new_words(PyTypeObject* type, PyObject* arguments, PyObject*) {
  PyObject *describe, *words, *split, *prefixes, *numeric_prefixes;
  int apostrophes, exchange;
  Py_ssize_t maximum, longest;
  if (!PyArg_ParseTuple(arguments, "OOOiiOOnn", &describe, &words, &split, &apostrophes, &exchange,
                        &prefixes, &numeric_prefixes, &maximum, &longest))
    return nullptr;
  return guarded<PyObject*>(nullptr, [&] {
    Rules rules{static_cast<Apostrophes>(apostrophes), static_cast<Exchange>(exchange),
                words_of(prefixes), words_of(numeric_prefixes)};
    const auto table = std::make_shared<WordTable>();
    return hold(type, std::unique_ptr<Words>(new Words{
                          table,
                          {describe, words, split, std::move(rules), table,
                           static_cast<size_t>(maximum), static_cast<size_t>(longest)},
                          static_cast<size_t>(maximum),
                          static_cast<size_t>(maximum) * static_cast<size_t>(longest)}));
  });
}

// The words of texts in columns, as of CountedWords; their numbers in all texts, end to end; how
// many words each text has.
PyObject* number_words(PyObject* self, PyObject* texts) {
  Words& words = *reinterpret_cast<Holder<Words>*>(self)->value;
  return guarded<PyObject*>(nullptr, [&]() -> PyObject* {
    if (words.table->size() > words.maximum || words.table->characters() > words.characters) {
      words.pieces.forget();
      words.table->clear();
    }
    words.table->take_counts();  // of a call that failed
    std::vector<int32_t> all, numbers, lengths;
    for_each_string(texts, [&](PyObject* text) {
      numbers.clear();
      words.pieces.encode(text, numbers);
      words.table->count(numbers);
      all.insert(all.end(), numbers.begin(), numbers.end());
      lengths.push_back(static_cast<int32_t>(numbers.size()));
    });
    return PyTuple_Pack(3, words.table->take_counts().to_python().get(), bytes_of(all).get(),
                        bytes_of(lengths).get());
  });
}

PyMethodDef words_methods[] = {
    {"number", number_words, METH_O,
     "Return the words of texts with their counts, their numbers in all texts, texts' lengths."},
    {nullptr, nullptr, 0, nullptr}};

PyObject* new_sums(PyTypeObject* type, PyObject*, PyObject*) {
  return guarded<PyObject*>(nullptr, [&] { return hold(type, std::make_unique<WordSums>()); });
}

PyObject* add_words(PyObject* self, PyObject* arguments) {
  PyObject *codes, *lengths, *counts;
  if (!PyArg_ParseTuple(arguments, "OOO", &codes, &lengths, &counts)) return nullptr;
  WordSums& sums = *reinterpret_cast<Holder<WordSums>*>(self)->value;
  return guarded<PyObject*>(nullptr, [&]() -> PyObject* {
    const std::vector<double> added = numbers_of<double>(counts);
    const std::vector<int32_t> sizes = numbers_of(lengths);
    if (added.size() != sizes.size()) throw std::invalid_argument("each word needs a count");
    const double* count = added.data();
    for_each_word(numbers_of<uint32_t>(codes), sizes,
                  [&](Span<uint32_t> word) { sums.add(word, *count++); });
    Py_RETURN_NONE;
  });
}

PyObject* summed_words(PyObject* self, PyObject*) {
  const WordSums& sums = *reinterpret_cast<Holder<WordSums>*>(self)->value;
  return guarded<PyObject*>(nullptr, [&] { return sums.words().to_python().release(); });
}

PyObject* number_of_words(PyObject* self, PyObject*) {
  return PyLong_FromSize_t(reinterpret_cast<Holder<WordSums>*>(self)->value->size());
}

PyMethodDef sums_methods[] = {
    {"add", add_words, METH_VARARGS, "Add the occurrences of words."},
    {"words", summed_words, METH_NOARGS, "Return all words and how often each occurs."},
    {"size", number_of_words, METH_NOARGS, "Return how many words there are."},
    {nullptr, nullptr, 0, nullptr}};

PyObject* new_folds(PyTypeObject* type, PyObject* arguments, PyObject*) {
  PyObject* describe;
  if (!PyArg_ParseTuple(arguments, "O", &describe)) return nullptr;
  return guarded<PyObject*>(nullptr,
                            [&] { return hold(type, std::make_unique<Folds>(describe)); });
}

// Folded words end to end, and how many characters each has, -1 where Python must fold it.
PyObject* fold_words(PyObject* self, PyObject* arguments) {
  PyObject *codes, *sizes;
  if (!PyArg_ParseTuple(arguments, "OO", &codes, &sizes)) return nullptr;
  Folds& folds = *reinterpret_cast<Holder<Folds>*>(self)->value;
  return guarded<PyObject*>(nullptr, [&]() -> PyObject* {
    Codes folded;
    std::vector<int32_t> lengths;
    for_each_word(numbers_of<uint32_t>(codes), numbers_of(sizes), [&](Span<uint32_t> word) {
      const size_t before = folded.size();
      const bool usual = folds.fold(word, folded);
      lengths.push_back(usual ? static_cast<int32_t>(folded.size() - before) : -1);
    });
    return PyTuple_Pack(2, bytes_of(folded).get(), bytes_of(lengths).get());
  });
}

PyMethodDef folds_methods[] = {
    {"fold", fold_words, METH_VARARGS, "Return words without case and accents, -1 as length of unusual ones."},
    {nullptr, nullptr, 0, nullptr}};

bool add_word_types(PyObject* module) {
  return add_type<Words>(module, "xlmkit.text._native.Words", "Counts the words of one language.",
                         new_words, words_methods) &&
         add_type<WordSums>(module, "xlmkit.text._native.WordSums",
                            "Adds up how often words occur.", new_sums, sums_methods) &&
         add_type<Folds>(module, "xlmkit.text._native.Folds",
                         "Takes case and accents from words.", new_folds, folds_methods);
}

}  // namespace
