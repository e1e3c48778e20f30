"""Run `python -m website`."""

from website.cli import main

main()
