import subprocess
import sys
from importlib.metadata import version

from xlmkit.core.machine import describe_machine, usable_cores


def test_everything_that_a_result_depends_on_is_named() -> None:
    machine = describe_machine()
    assert machine["processor"]
    assert machine["cores"] == usable_cores() >= 1
    assert machine["memory_gib"] > 0
    assert machine["python"] == ".".join(map(str, sys.version_info[:3]))
    assert machine["torch"] == version("torch")
    assert machine["numpy"] == version("numpy")
    assert machine["tokenizers"] == version("tokenizers")
    assert machine["transformers"] == version("transformers")


def test_an_installed_package_is_described_without_loading_it() -> None:
    code = (
        "import sys; from xlmkit.core.machine import describe_machine; describe_machine();"
        "sys.exit(bool({'torch', 'numpy', 'tokenizers', 'transformers'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
