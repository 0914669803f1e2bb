// The Python module xlmkit.text._native: the types `BytePairs`, `Pieces`, `Words`, `WordSums`,
// `Folds`, `KnownWords` and `Survey`, and the functions `learn_merges`, `sorted_words`,
// `join_words`, `json_lines` and `read_lines`.

#include "conversions.h"
#include "counted_words.h"
#include "json_lines.h"
#include "learner.h"
#include "lines.h"
#include "numbered_words.h"
#include "piece_types.h"
#include "python.h"
#include "survey_type.h"
#include "word_types.h"

// What xlmkit.core.native_sources says of all these files; 0 where nobody asked it.
#ifndef SOURCES
#define SOURCES 0
#endif

namespace {

// Records as lines of JSON; see json_lines.h.
PyObject* json_lines(PyObject*, PyObject* arguments) {
  PyObject *languages, *texts, *sizes, *sources, *places, *labels;
  if (!PyArg_ParseTuple(arguments, "OOOOOO", &languages, &texts, &sizes, &sources, &places,
                        &labels))
    return nullptr;
  return guarded<PyObject*>(nullptr, [&] {
    const std::string lines =
        json_lines_of({languages}, {texts}, {sizes}, {sources}, {places}, {labels});
    return PyBytes_FromStringAndSize(lines.data(), static_cast<Py_ssize_t>(lines.size()));
  });
}

PyObject* learn_merges(PyObject*, PyObject* arguments) {
  PyObject *names, *symbols, *lengths, *counts;
  Py_ssize_t vocabulary;
  long long minimum;
  if (!PyArg_ParseTuple(arguments, "OOOOnL", &names, &symbols, &lengths, &counts, &vocabulary,
                        &minimum))
    return nullptr;
  return guarded<PyObject*>(nullptr, [&]() -> PyObject* {
    std::vector<std::u32string> strings;
    for_each_string(names, [&](PyObject* name) {
      const Codes codes = codes_of(name);
      strings.emplace_back(codes.begin(), codes.end());
    });
    Learner learner(std::move(strings), numbers_of(symbols), numbers_of(lengths),
                    numbers_of<int64_t>(counts));
    return bytes_of(learner.learn(static_cast<size_t>(vocabulary), minimum)).release();
  });
}

PyObject* sorted_words(PyObject*, PyObject* arguments) {
  PyObject *codes, *lengths;
  if (!PyArg_ParseTuple(arguments, "OO", &codes, &lengths)) return nullptr;
  return guarded<PyObject*>(nullptr, [&] {
    return bytes_of(order_of(numbers_of<uint32_t>(codes), numbers_of(lengths))).release();
  });
}

// The ids of texts given as numbers of words, and how many each has; see numbered_words.h.
PyObject* join_words(PyObject*, PyObject* arguments) {
  PyObject *ids, *sizes, *numbers, *counts;
  if (!PyArg_ParseTuple(arguments, "OOOO", &ids, &sizes, &numbers, &counts)) return nullptr;
  return guarded<PyObject*>(nullptr, [&]() -> PyObject* {
    std::vector<int32_t> joined, lengths;
    ::join_words(numbers_of(ids), numbers_of(sizes), numbers_of(numbers), numbers_of(counts),
                 joined, lengths);
    return PyTuple_Pack(2, bytes_of(joined).get(), bytes_of(lengths).get());
  });
}

PyMethodDef functions[] = {
    {"join_words", join_words, METH_VARARGS,
     "Return the ids of texts from those of words and the words' numbers, and texts' lengths."},
    {"json_lines", json_lines, METH_VARARGS, "Return records as lines of JSON, in UTF-8."},
    {"learn_merges", learn_merges, METH_VARARGS,
     "Learn merges: (left, right, result) of each, as numbers of symbols."},
    {"sorted_words", sorted_words, METH_VARARGS, "Return the numbers of words, sorted."},
    {"read_lines", read_lines, METH_O,
     "Read lines of the corpus: how many, language -> (rows, texts), source of each, or None."},
    {nullptr, nullptr, 0, nullptr}};

PyModuleDef definition = {PyModuleDef_HEAD_INIT,
                          "_native",
                          "Texts to ids, piece by piece, compiled.",
                          -1,
                          functions,
                          nullptr,
                          nullptr,
                          nullptr,
                          nullptr};

}  // namespace

PyMODINIT_FUNC PyInit__native() {
  Owned module(PyModule_Create(&definition));
  if (!module) return nullptr;
  const Owned sources(PyLong_FromUnsignedLongLong(SOURCES));
  if (!sources || PyModule_AddObjectRef(module.get(), "SOURCES", sources.get()) < 0)
    return nullptr;
  if (!add_piece_types(module.get()) || !add_word_types(module.get()) ||
      !add_survey_type(module.get()))
    return nullptr;
  return module.release();
}
