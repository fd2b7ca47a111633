"""The command `alta-add`, also by `python -m alta_client`; nothing is imported before Ctrl-C is caught."""

import sys


def main() -> None:
    """Run the command; Ctrl-C while it is still being imported ends it without a word."""
    try:
        from alta_client.add.cli import main as run  # noqa: PLC0415 - see above

        run()
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
