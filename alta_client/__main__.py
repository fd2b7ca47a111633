"""Runs the command `alta-add`, also as `python -m alta_client`; handles Ctrl-C before it imports anything."""

import sys


def main() -> None:
    """Run the command; Ctrl-C during its imports ends it silently."""
    try:
        from alta_client.add.cli import main as run  # noqa: PLC0415 - see above

        run()
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
