"""`python -m app` is `ugatit`."""

from app.cli import main

main()
