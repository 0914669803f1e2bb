// The Python module xlmkit.text._native: the types `BytePairs`, `Pieces`, `Words`, `WordSums`,
// `Folds`, `KnownWords` and `Survey`, and the functions `learn_merges`, `sorted_words`,
// `join_words`, `json_lines` and `read_lines`.

#include <memory>

#include "byte_pairs.h"
#include "conversions.h"
#include "counted_words.h"
#include "folds.h"
#include "json_lines.h"
#include "known_words.h"
#include "learner.h"
#include "lines.h"
#include "pieces.h"
#include "python.h"
#include "survey.h"
#include "word_table.h"

// What xlmkit.text.native_sources says of all these files; 0 where nobody asked it.
#ifndef SOURCES
#define SOURCES 0
#endif

namespace {

template <typename Value>
struct Holder {
  PyObject_HEAD Value* value;
};

template <typename Value>
void release(PyObject* self) {
  PyTypeObject* type = Py_TYPE(self);
  delete reinterpret_cast<Holder<Value>*>(self)->value;
  type->tp_free(self);
  Py_DECREF(type);
}

template <typename Value>
PyObject* hold(PyTypeObject* type, std::unique_ptr<Value> value) {
  PyObject* self = type->tp_alloc(type, 0);
  if (self != nullptr) reinterpret_cast<Holder<Value>*>(self)->value = value.release();
  return self;
}

std::set<Codes> words_of(PyObject* iterable) {
  std::set<Codes> words;
  for_each_string(iterable, [&](PyObject* string) { words.insert(codes_of(string)); });
  return words;
}

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

PyObject* new_survey(PyTypeObject* type, PyObject* arguments, PyObject*) {
  PyObject *describe, *is_composed, *normalize, *factors, *summands, *weights, *starts;
  const char* person;
  Py_ssize_t person_size, words;
  if (!PyArg_ParseTuple(arguments, "OOOy#nOOOO", &describe, &is_composed, &normalize, &person,
                        &person_size, &words, &factors, &summands, &weights, &starts))
    return nullptr;
  return guarded<PyObject*>(nullptr, [&] {
    const Blake2b hash(std::string(person, static_cast<size_t>(person_size)));
    MinHash minhash(numbers_of<uint32_t>(factors), numbers_of<uint32_t>(summands),
                    numbers_of<uint64_t>(weights), numbers_of<uint64_t>(starts));
    return hold(type, std::make_unique<Survey>(describe, is_composed, normalize, hash,
                                               static_cast<size_t>(words), std::move(minhash)));
  });
}

// The normal forms of texts, and their facts: words, shares of letters and of own scripts.
PyObject* look(PyObject* self, PyObject* texts) {
  Survey& survey = *reinterpret_cast<Holder<Survey>*>(self)->value;
  return guarded<PyObject*>(nullptr, [&]() -> PyObject* {
    Survey::Facts facts;
    Owned normal(PyList_New(0));
    if (!normal) throw PythonError();
    for_each_string(texts, [&](PyObject* text) {
      if (PyList_Append(normal.get(), survey.look(text, facts).get()) < 0) throw PythonError();
    });
    return PyTuple_Pack(4, normal.get(), bytes_of(facts.words).get(), bytes_of(facts.letters).get(),
                        bytes_of(facts.script).get());
  });
}

PyObject* facts(PyObject* self, PyObject* texts) {
  Survey& survey = *reinterpret_cast<Holder<Survey>*>(self)->value;
  return guarded<PyObject*>(nullptr, [&]() -> PyObject* {
    Survey::Facts facts;
    for_each_string(texts, [&](PyObject* text) { survey.append_facts(text, facts); });
    return PyTuple_Pack(3, bytes_of(facts.words).get(), bytes_of(facts.letters).get(),
                        bytes_of(facts.script).get());
  });
}

// Fingerprints of texts and of their letters, rows of long texts, and their bands.
PyObject* prints(PyObject* self, PyObject* arguments) {
  PyObject* texts;
  int with_bands;
  if (!PyArg_ParseTuple(arguments, "Op", &texts, &with_bands)) return nullptr;
  Survey& survey = *reinterpret_cast<Holder<Survey>*>(self)->value;
  return guarded<PyObject*>(nullptr, [&]() -> PyObject* {
    Survey::Prints prints;
    for_each_string(texts, [&](PyObject* text) {
      survey.append_prints(text, with_bands, prints);
    });
    return PyTuple_Pack(4, bytes_of(prints.exact).get(), bytes_of(prints.skeletons).get(),
                        bytes_of(prints.rows).get(), bytes_of(prints.bands).get());
  });
}

PyMethodDef survey_methods[] = {
    {"look", look, METH_O, "Return texts in their normal form, and their facts."},
    {"facts", facts, METH_O, "Return words, shares of letters, shares of letters of own scripts."},
    {"prints", prints, METH_VARARGS, "Return fingerprints of texts, rows of long ones, their bands."},
    {nullptr, nullptr, 0, nullptr}};

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

// The ids of texts given as numbers of words, and how many each has; see known_words.h.
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

PyType_Slot byte_pairs_slots[] = {
    {Py_tp_doc, const_cast<char*>("Byte-pair encoding of words.")},
    {Py_tp_new, reinterpret_cast<void*>(new_byte_pairs)},
    {Py_tp_dealloc, reinterpret_cast<void*>(release<SharedPairs>)},
    {Py_tp_methods, byte_pairs_methods},
    {0, nullptr}};
PyType_Slot pieces_slots[] = {
    {Py_tp_doc, const_cast<char*>("Encodes the texts of one language.")},
    {Py_tp_new, reinterpret_cast<void*>(new_pieces)},
    {Py_tp_dealloc, reinterpret_cast<void*>(release<Pieces>)},
    {Py_tp_methods, pieces_methods},
    {0, nullptr}};
PyType_Slot words_slots[] = {
    {Py_tp_doc, const_cast<char*>("Counts the words of one language.")},
    {Py_tp_new, reinterpret_cast<void*>(new_words)},
    {Py_tp_dealloc, reinterpret_cast<void*>(release<Words>)},
    {Py_tp_methods, words_methods},
    {0, nullptr}};
PyType_Slot sums_slots[] = {
    {Py_tp_doc, const_cast<char*>("Adds up how often words occur.")},
    {Py_tp_new, reinterpret_cast<void*>(new_sums)},
    {Py_tp_dealloc, reinterpret_cast<void*>(release<WordSums>)},
    {Py_tp_methods, sums_methods},
    {0, nullptr}};
PyType_Slot folds_slots[] = {
    {Py_tp_doc, const_cast<char*>("Takes case and accents from words.")},
    {Py_tp_new, reinterpret_cast<void*>(new_folds)},
    {Py_tp_dealloc, reinterpret_cast<void*>(release<Folds>)},
    {Py_tp_methods, folds_methods},
    {0, nullptr}};
PyType_Slot known_words_slots[] = {
    {Py_tp_doc, const_cast<char*>("Encodes words, and remembers them.")},
    {Py_tp_new, reinterpret_cast<void*>(new_known_words)},
    {Py_tp_dealloc, reinterpret_cast<void*>(release<KnownWords>)},
    {Py_tp_methods, known_words_methods},
    {0, nullptr}};
PyType_Slot survey_slots[] = {
    {Py_tp_doc, const_cast<char*>("Knows the characters of texts of one language.")},
    {Py_tp_new, reinterpret_cast<void*>(new_survey)},
    {Py_tp_dealloc, reinterpret_cast<void*>(release<Survey>)},
    {Py_tp_methods, survey_methods},
    {0, nullptr}};
PyType_Spec byte_pairs_spec = {"xlmkit.text._native.BytePairs", sizeof(Holder<SharedPairs>), 0,
                               Py_TPFLAGS_DEFAULT, byte_pairs_slots};
PyType_Spec pieces_spec = {"xlmkit.text._native.Pieces", sizeof(Holder<Pieces>), 0,
                           Py_TPFLAGS_DEFAULT, pieces_slots};

PyType_Spec words_spec = {"xlmkit.text._native.Words", sizeof(Holder<Words>), 0,
                          Py_TPFLAGS_DEFAULT, words_slots};
PyType_Spec sums_spec = {"xlmkit.text._native.WordSums", sizeof(Holder<WordSums>), 0,
                         Py_TPFLAGS_DEFAULT, sums_slots};
PyType_Spec folds_spec = {"xlmkit.text._native.Folds", sizeof(Holder<Folds>), 0,
                          Py_TPFLAGS_DEFAULT, folds_slots};
PyType_Spec known_words_spec = {"xlmkit.text._native.KnownWords", sizeof(Holder<KnownWords>), 0,
                                Py_TPFLAGS_DEFAULT, known_words_slots};
PyType_Spec survey_spec = {"xlmkit.text._native.Survey", sizeof(Holder<Survey>), 0,
                           Py_TPFLAGS_DEFAULT, survey_slots};

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
  byte_pairs_type = reinterpret_cast<PyTypeObject*>(PyType_FromSpec(&byte_pairs_spec));
  if (byte_pairs_type == nullptr || PyModule_AddType(module.get(), byte_pairs_type) < 0)
    return nullptr;
  for (PyType_Spec* spec : {&pieces_spec, &words_spec, &sums_spec, &folds_spec, &known_words_spec,
                            &survey_spec}) {
    const Owned type(PyType_FromSpec(spec));
    if (!type || PyModule_AddType(module.get(), reinterpret_cast<PyTypeObject*>(type.get())) < 0)
      return nullptr;
  }
  return module.release();
}
