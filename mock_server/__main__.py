"""Lets `python -m mock_server` be the command `alta-mock`."""

from mock_server.cli import main

main()
