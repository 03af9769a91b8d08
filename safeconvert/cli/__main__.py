"""The `safeconvert` command. Ctrl-C is handled before anything is imported that takes time."""

from safeconvert.core import interrupts


def main() -> None:
    """Entry point of the command."""
    try:
        interrupts.install()
        from safeconvert.cli.app import main as run

        run()
    except interrupts.Interrupted as told:
        interrupts.leave(told.number)


if __name__ == "__main__":
    main()
