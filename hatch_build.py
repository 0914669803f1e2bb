"""Builds the compiled parts where there is a C++ compiler, and leaves them out else.

A hook of hatchling (`[tool.hatch.build.hooks.custom]`). XLMKIT_COMPILED=0 leaves them out, too.
"""

import importlib.util
import os
import platform
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PACKAGE = Path("src", "xlmkit")
PARTS = {"xlmkit.text._native": PACKAGE / "text" / "native" / "module.cpp"}  # module -> source
if sys.platform == "linux" and platform.machine() == "x86_64":
    # A library without Python, called by ctypes; elsewhere it has not been seen to gain.
    PARTS["xlmkit.model._kernels"] = PACKAGE / "model" / "native" / "kernels.cpp"
OPTIONS = ["-std=c++17", "-O3", "-g0", "-fopenmp-simd", "-fno-math-errno", "-fno-trapping-math"]


def sources_number(root: Path, source: Path) -> int:
    """Return what tells whether a compiled part belongs to the Python modules beside it."""
    path = root / PACKAGE / "core" / "native_sources.py"
    spec = importlib.util.spec_from_file_location("native_sources", path)
    assert spec is not None  # noqa: S101 - it is there
    assert spec.loader is not None  # noqa: S101
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    number: int = module.sources_number(root / source.parent)
    return number


class CustomBuildHook(BuildHookInterface):
    """Puts the compiled parts beside their Python modules, for wheels and for editable installs."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile, and add the results to the wheel."""
        del version
        if self.target_name != "wheel" or os.environ.get("XLMKIT_COMPILED") == "0":
            return
        for name, source in PARTS.items():
            built = self._compile(Path(self.root), name, source)
            if built is not None:
                build_data["pure_python"] = False
                build_data["infer_tag"] = True
                build_data["artifacts"].append(built.relative_to(self.root).as_posix())

    def _compile(self, root: Path, name: str, source: Path) -> Path | None:
        """Return a compiled part, None where it cannot be compiled."""
        from setuptools import Extension
        from setuptools.command.build_ext import build_ext
        from setuptools.dist import Distribution

        extension = Extension(
            name,
            [str(root / source)],
            language="c++",
            extra_compile_args=["/std:c++17", "/O2"] if sys.platform == "win32" else OPTIONS,
            define_macros=[("SOURCES", f"{sources_number(root, source)}ULL")],
        )
        command = build_ext(Distribution({"name": "xlmkit", "ext_modules": [extension]}))
        own = name.rpartition(".")[2]
        place = root / source.parent.parent / f"{own}{sysconfig.get_config_var('EXT_SUFFIX')}"
        try:
            with tempfile.TemporaryDirectory() as folder:
                command.build_lib = command.build_temp = folder
                command.ensure_finalized()
                command.run()
                place.write_bytes(Path(command.get_ext_fullpath(name)).read_bytes())
        except Exception as error:  # no compiler, no header files, ...
            self.app.display_warning(f"The compiled part {name} is left out: {error}")
            place.unlink(missing_ok=True)
            return None
        return place
