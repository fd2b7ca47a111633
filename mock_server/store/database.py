"""Connections to the databases of the SQL stores: how they are opened, what they begin with, how they fail."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnection

from mock_server.messages.errors import MockError, StoreUnavailable

CONNECTIONS = 8
"""Connections of a process that stay open; as many threads of a server use them."""

SECONDS = 2
"""Seconds that a request waits until PostgreSQL answers."""

LOCK_SECONDS = 1.5
"""Seconds that it waits for a lock that another process holds, before PostgreSQL answers that it is not free."""

LONG_SECONDS = 600
"""Seconds that a reset waits, or a change of the schema."""

BUSY_SECONDS = 10
"""Seconds that a request waits for others of its process, or for those who write to the same file."""

T = TypeVar("T")


class Database:
    """A database that is opened when it is first used."""

    def __init__(self, text: str) -> None:
        self.engine = _engine(text)
        self._one_writer = threading.Lock() if self.engine.dialect.name == "sqlite" else None
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=lambda: self.engine.dispose(close=False))

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Yield a connection in a transaction that reads; raise StoreUnavailable if the database cannot be used."""
        options: dict[str, Any] = {"alta_mock_reads": True, "alta_mock_seconds": SECONDS}
        if self.engine.dialect.name == "postgresql":
            options |= {"isolation_level": "REPEATABLE READ"}
        with _failures(), self._begun(answering, options) as connection:
            yield connection

    @contextmanager
    def writing(self, start: Callable[[Connection], T], seconds: float = SECONDS) -> Iterator[T]:
        """Yield what `start` makes of a connection in a transaction, which is committed at the end.

        PostgreSQL has so many seconds to answer each statement. Raises StoreUnavailable as `reading` does. SQLite has
        one writer at a time: the threads of this process queue here, other processes in the database.
        """
        with ExitStack() as stack:
            if self._one_writer:
                if not self._one_writer.acquire(timeout=BUSY_SECONDS):
                    raise StoreUnavailable("the store is busy")
                stack.callback(self._one_writer.release)
            with _failures(), self._begun(start, {"alta_mock_seconds": seconds}) as begun:
                yield begun

    @contextmanager
    def _begun(self, start: Callable[[Connection], T], options: Mapping[str, Any]) -> Iterator[T]:
        """Begin a transaction, a second time if its connection ended while it waited in the pool."""
        try:
            connection, begun = self._start(start, options)
        except DBAPIError as error:
            if not error.connection_invalidated or isinstance(error.orig, TimeoutError):
                raise
            connection, begun = self._start(start, options)
        with connection:
            yield begun
            connection.commit()

    def _start(self, start: Callable[[Connection], T], options: Mapping[str, Any]) -> tuple[Connection, T]:
        connection = self.engine.connect()
        try:
            connection = connection.execution_options(**options)
            connection.begin()
            return connection, start(connection)
        except BaseException:
            connection.close()
            raise


def execute(connection: Connection, statement: Any, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """Execute a statement in a transaction that has begun, and return its rows.

    It goes to the driver with its values as they are: for what every request needs, SQLAlchemy takes too long.
    """
    name, driver = connection.dialect.name, connection.connection.dbapi_connection
    text, constants = (statement, {}) if isinstance(statement, str) else _compiled(statement, name)
    try:
        cursor = driver.execute(text, {**constants, **values})  # type: ignore[union-attr]  # both drivers have it
        return cursor.fetchall() if cursor.description else []
    except connection.dialect.loaded_dbapi.Error as error:
        ended = connection.dialect.is_disconnect(error, driver, None)
        if ended:
            connection.invalidate(error)
        base = connection.dialect.loaded_dbapi.Error
        raise DBAPIError.instance(text, None, error, base, connection_invalidated=ended) from error


@lru_cache(maxsize=256)
def _compiled(statement: Any, name: str) -> tuple[str, dict[str, Any]]:
    psycopg: Any = postgresql.psycopg
    dialect = sqlite.dialect(paramstyle="named") if name == "sqlite" else psycopg.dialect()
    compiled = statement.compile(dialect=dialect)
    return str(compiled), {key: value for key, value in compiled.params.items() if value is not None}


def answering(connection: Connection) -> Connection:
    """Return a connection after its first statement, which raises if it has ended."""
    connection.exec_driver_sql("SELECT 1")
    return connection


def reason(error: Exception) -> str:
    """Return the first line of what a database said."""
    original = error.orig if isinstance(error, DBAPIError) else error
    return (str(original).strip() or type(original).__name__).splitlines()[0]


@contextmanager
def _failures() -> Iterator[None]:
    try:
        yield
    except (OperationalError, NoConnection) as error:
        raise StoreUnavailable(f"the store cannot be used: {reason(error)}") from error
    except DBAPIError as error:
        if error.connection_invalidated:
            raise StoreUnavailable(f"the store cannot be used: {reason(error)}") from error
        raise


def _engine(text: str) -> Engine:
    try:
        url = make_url(text)
    except ArgumentError:
        raise MockError("write sqlite:///FILE or postgresql://USER@HOST/DATABASE") from None
    if url.get_backend_name() == "sqlite":
        return _sqlite(url)
    from mock_server.store.postgresql import TimedConnection  # noqa: PLC0415 - only those who use it need psycopg

    wait = {"connect_timeout": SECONDS, "tcp_user_timeout": SECONDS * 1000, "application_name": "alta-mock"}
    engine = create_engine(
        url.set(drivername="postgresql+psycopg"),
        pool_size=CONNECTIONS,
        pool_timeout=BUSY_SECONDS,
        connect_args={name: value for name, value in wait.items() if name not in url.query},
    )

    @event.listens_for(engine, "do_connect")
    def connect(_dialect: object, _record: object, words: Any, options: Any) -> TimedConnection:
        return TimedConnection.connect(*words, **options)

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: object) -> None:
        connection.execute(f"SET lock_timeout = {LOCK_SECONDS * 1000:.0f}")
        connection.commit()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        driver: Any = connection.connection.dbapi_connection
        driver.seconds = connection.get_execution_options().get("alta_mock_seconds", LONG_SECONDS)

    return engine


def _sqlite(url: URL) -> Engine:
    if not url.database or url.database == ":memory:":
        raise MockError("it names no file; write sqlite:///FILE")
    if not Path(url.database.removeprefix("file:")).absolute().parent.is_dir():
        raise MockError("its folder does not exist; make it, or choose another file")
    engine = create_engine(
        url.set(drivername="sqlite+pysqlite"),
        pool_size=CONNECTIONS,
        pool_use_lifo=True,  # that which wrote last has read what it needs
        connect_args={"timeout": BUSY_SECONDS},
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # else the module begins transactions by itself
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")  # a commit outlives this process; in WAL mode that is enough

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        reads = connection.get_execution_options().get("alta_mock_reads")
        execute(connection, "BEGIN" if reads else "BEGIN IMMEDIATE", {})

    return engine
