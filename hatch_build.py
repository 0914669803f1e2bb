"""Builds the compiled part of the tokenizer where there is a C++ compiler, and leaves it out else.

A hook of hatchling (`[tool.hatch.build.hooks.custom]`). XLMKIT_COMPILED=0 leaves it out, too.
"""

import importlib.util
import os
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

FOLDER = Path("src", "xlmkit", "text")
SOURCE = FOLDER / "native" / "module.cpp"
NAME = "xlmkit.text._native"


def sources_number(root: Path) -> int:
    """Return what tells whether the compiled module belongs to the Python modules beside it."""
    path = root / FOLDER / "native_sources.py"
    spec = importlib.util.spec_from_file_location("native_sources", path)
    assert spec is not None  # noqa: S101 - it is there
    assert spec.loader is not None  # noqa: S101
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    number: int = module.sources_number()
    return number


class CustomBuildHook(BuildHookInterface):
    """Puts the compiled module beside its Python modules, for wheels and for editable installs."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile, and add the result to the wheel."""
        del version
        if self.target_name != "wheel" or os.environ.get("XLMKIT_COMPILED") == "0":
            return
        built = self._compile(Path(self.root))
        if built is None:
            return
        build_data["pure_python"] = False
        build_data["infer_tag"] = True
        build_data["artifacts"].append(built.relative_to(self.root).as_posix())

    def _compile(self, root: Path) -> Path | None:
        """Return the compiled module, None where it cannot be compiled."""
        from setuptools import Extension
        from setuptools.command.build_ext import build_ext
        from setuptools.dist import Distribution

        options = ["/std:c++17", "/O2"] if sys.platform == "win32" else ["-std=c++17", "-O3", "-g0"]
        extension = Extension(
            NAME,
            [str(root / SOURCE)],
            language="c++",
            extra_compile_args=options,
            define_macros=[("SOURCES", f"{sources_number(root)}ULL")],
        )
        command = build_ext(Distribution({"name": "xlmkit", "ext_modules": [extension]}))
        place = root / FOLDER / f"_native{sysconfig.get_config_var('EXT_SUFFIX')}"
        try:
            with tempfile.TemporaryDirectory() as folder:
                command.build_lib = command.build_temp = folder
                command.ensure_finalized()
                command.run()
                place.write_bytes(Path(command.get_ext_fullpath(NAME)).read_bytes())
        except Exception as error:  # no compiler, no header files, ...
            self.app.display_warning(f"The compiled part of the tokenizer is left out: {error}")
            place.unlink(missing_ok=True)
            return None
        return place
