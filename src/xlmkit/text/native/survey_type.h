// The type `Survey` of the Python module. Part of module.cpp.
#pragma once

#include <memory>

#include "conversions.h"
#include "holder.h"
#include "python.h"
#include "survey.h"

namespace {

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

bool add_survey_type(PyObject* module) {
  return add_type<Survey>(module, "xlmkit.text._native.Survey",
                          "Knows the characters of texts of one language.", new_survey,
                          survey_methods);
}

}  // namespace
