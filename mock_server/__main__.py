"""Runs the command `alta-mock`, also as `python -m mock_server`; handles Ctrl-C before it imports anything."""

import sys


def main() -> None:
    """Run the command; Ctrl-C during its imports ends it silently."""
    try:
        from mock_server.cli.main import main as run  # noqa: PLC0415 - see above

        run()
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
