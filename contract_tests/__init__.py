"""The kit: checks of the contract, to be run by pytest from a checkout or from the installed package.

pytest --pyargs contract_tests -p contract_tests.plugin
"""
