"""`python -m monde`."""

import sys

from monde.cli import main

if __name__ == "__main__":
    sys.exit(main())
