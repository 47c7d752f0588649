"""`python -m flaskart.cli`: the command line, for who has no path to `flaskart`."""

from flaskart.cli import main

main()
