"""`python -m safeconvert.cli`: the command line."""

from safeconvert.cli.app import main

if __name__ == "__main__":
    main()
