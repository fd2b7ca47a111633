"""The tables of the SQL stores, and the versions of their schema.

Rule: a version only adds to the one before, so a store of an older version is brought up to date when it is opened.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import blake2b
from json.encoder import encode_basestring_ascii
from typing import Any
from uuid import uuid4

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Engine,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    inspect,
    select,
    text,
)
from sqlalchemy.exc import DBAPIError

from mock_server.messages.errors import MockError, OtherVersion
from mock_server.store.database import reason

MEMBERS = (
    "campaignId",
    "conversationId",
    "email",
    "emailThreadId",
    "identifier",
    "identifierType",
    "linkedinUrl",
    "name",
    "ownedById",
    "personId",
    "phone",
    "prospectId",
    "repId",
    "status",
    "type",
)
"""Members by which objects are found without reading the others: each has a column and an index."""

LONGEST_KEY = 200
"""Characters up to which a key is its text; PostgreSQL indexes no more than 2,700 bytes."""

_LOCK = 0x616C7461
"""The advisory lock of those who create the tables in PostgreSQL."""

_serial = BigInteger().with_variant(Integer, "sqlite")

metadata = MetaData()

meta = Table(
    "alta_mock_meta",
    metadata,
    Column("version", Integer, nullable=False),
    Column("identity", Text, nullable=False),
    Column("seeded", Boolean, nullable=False),
    Column("clock_offset", BigInteger, nullable=False),
    Column("choices", Text, nullable=False),
    Column("newest", BigInteger, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("broken", BigInteger, nullable=False),
    Column("cleared", BigInteger, nullable=False),
)
"""One row: the version, which every version keeps in this place, the clock, and the totals of the journal."""

accounts = Table(
    "alta_mock_accounts",
    metadata,
    Column("id", Text, primary_key=True),
    Column("state", Text, nullable=False),
)
"""Windows and running numbers of an account; who changes anything of the account locks its row first."""

objects = Table(
    "alta_mock_objects",
    metadata,
    Column("position", _serial, primary_key=True),
    Column("account", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("body", Text, nullable=False),
    *(Column(name, Text) for name in MEMBERS),
    Index("alta_mock_objects_id", "account", "kind", "id", unique=True),
    Index("alta_mock_objects_order", "account", "kind", "position"),
    sqlite_autoincrement=True,
)
for _name in MEMBERS:
    _given = objects.c[_name].is_not(None)
    Index(
        f"alta_mock_objects_{_name.lower()}",
        objects.c.account,
        objects.c.kind,
        objects.c[_name],
        objects.c.position,
        postgresql_where=_given,
        sqlite_where=_given,
    )

submissions = Table(
    "alta_mock_submissions",
    metadata,
    Column("account", Text, primary_key=True),
    Column("number", BigInteger, primary_key=True),
    Column("parent", Text, nullable=False),
    Column("member", Text, nullable=False),
    Column("size", Integer, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("text", LargeBinary, nullable=False),
    Index("alta_mock_submissions_parent", "account", "parent", "number"),
)

queue = Table(
    "alta_mock_queue",
    metadata,
    Column("position", _serial, primary_key=True),
    Column("operation", Text),
    Column("times", Integer, nullable=False),
    Column("value", Text, nullable=False),
    sqlite_autoincrement=True,
)

journal = Table(
    "alta_mock_journal",
    metadata,
    Column("number", _serial, primary_key=True, autoincrement=False),
    Column("before", BigInteger, nullable=False),
    Column("status", Integer, nullable=False),
    Column("head", Text, nullable=False),
    Column("request", LargeBinary),
    Column("response", LargeBinary, nullable=False),
    Index("alta_mock_journal_status", "status"),
)
"""Recorded requests; `before` is the size of all requests before."""

dropped = Table(
    "alta_mock_dropped",
    metadata,
    Column("status", Integer, primary_key=True),
    Column("count", BigInteger, nullable=False),
)
"""How often each status was sent by requests that the journal no longer keeps."""

CHANGES: Sequence[Sequence[str]] = ()
"""What leads from version 1 to 2, from 2 to 3 and so on: statements that every database understands."""


def key(value: Any) -> str | None:
    """Return what finds a text in an index, in either case; None for what is no text.

    It is the text's JSON, which any database can hold, or a hash of that if it is long.
    """
    if not isinstance(value, str):
        return None
    found = encode_basestring_ascii(value.lower())[1:-1]
    return found if len(found) <= LONGEST_KEY else blake2b(found.encode(), digest_size=32).hexdigest()


def prepare(engine: Engine) -> str:
    """Create the tables, or bring them up to date; return the identity of the store.

    Raises:
        OtherVersion: A newer alta-mock made them.
        MockError: There are tables of another program.
    """
    newest = len(CHANGES) + 1
    with _begun(engine) as connection:
        _lock(connection)
        names = inspect(connection).get_table_names()
        if meta.name not in names:
            if names:
                raise MockError(f"it has tables of another program, for example {names[0]}; choose an empty database")
            metadata.create_all(connection)
            own = {"version": newest, "identity": uuid4().hex, "seeded": False, "clock_offset": 0, "choices": "{}"}
            totals = dict.fromkeys(("newest", "size", "broken", "cleared"), 0)
            connection.execute(meta.insert(), own | totals)
        version, identity = connection.execute(select(meta.c.version, meta.c.identity)).one()
        if version > newest:
            raise OtherVersion(
                f"its schema has version {version}, this alta-mock knows {newest}; upgrade alta-mock, or forget what it"
                " keeps with alta-mock store reset"
            )
        for statement in [one for change in CHANGES[version - 1 :] for one in change]:
            connection.execute(text(statement))
        if version < newest:
            connection.execute(meta.update().values(version=newest))
    return str(identity)


def drop(engine: Engine) -> None:
    """Remove the tables, whatever their version."""
    with _begun(engine) as connection:
        _lock(connection)
        for name in inspect(connection).get_table_names():
            if name.startswith("alta_mock_"):
                connection.execute(text(f'DROP TABLE "{name}"'))


@contextmanager
def _begun(engine: Engine) -> Iterator[Connection]:
    """Begin a transaction; raise MockError if the database cannot be used."""
    try:
        with engine.begin() as connection:
            yield connection
    except DBAPIError as error:
        remedy = "check the URL, and that the database can be read and written"
        raise MockError(f"{reason(error)}; {remedy}") from error


def _lock(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
