"""`python -m safeconvert`: the command line."""

from safeconvert.cli.__main__ import main

if __name__ == "__main__":
    main()
