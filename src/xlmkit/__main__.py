"""The command line as a module: `python -m xlmkit`, or `torchrun -m xlmkit` for more processes."""

from xlmkit.cli.app import main

main()
