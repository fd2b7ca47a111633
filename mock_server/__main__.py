"""The command `alta-mock`, also by `python -m mock_server`; nothing is imported before Ctrl-C is caught."""

import sys


def main() -> None:
    """Run the command; Ctrl-C while it is still being imported ends it without a word."""
    try:
        from mock_server.cli.main import main as run  # noqa: PLC0415 - see above

        run()
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
