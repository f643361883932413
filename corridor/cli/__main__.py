"""``python -m corridor.cli`` is the ``corridor`` command."""

from corridor.cli import main

main()
