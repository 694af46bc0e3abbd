"""`python -m training` is `ugatit-train`."""

from training.cli import main

main()
