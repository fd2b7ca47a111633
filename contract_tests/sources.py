"""The sources of the rules: the vendor's pages, and standards."""

ADD = "https://docs.altahq.com/api-reference/campaigns/add-prospects"
AUTH = "https://docs.altahq.com/api-reference/authentication"
ERRORS = "https://docs.altahq.com/api-reference/errors"
LIMITS = "https://docs.altahq.com/api-reference/rate-limiting"
DOCUMENT = "openapi.yaml#/components/schemas/"
HTTP = "RFC 9110"
JSON_TEXT = "RFC 8259"
