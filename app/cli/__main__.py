"""`python -m app.cli` is `vitrine`."""

from app.cli import main

main()
