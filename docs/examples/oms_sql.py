"""Inserts a purchase, its refund and its renewal as rows, and prints what became of them.

Needs PyMySQL (Debian: python3-pymysql), and in the environment MYSQL_HOST, MYSQL_PORT, MYSQL_USER and MYSQL_PASSWORD.
"""
import json
import os
import time
from datetime import datetime, timezone

import pymysql

INSERT = """
    INSERT INTO marketing_events (event_id, order_id, storefront_code, event_type, event_payload, source_system, status)
    VALUES (%s, %s, %s, %s, %s, 'oms_direct', 'pending')"""
STORED = "SELECT event_payload FROM marketing_events WHERE event_id = %s AND event_type = %s"
STATUS = "SELECT event_id, event_type, status, COALESCE(reason, '-') FROM marketing_events WHERE order_id = %s ORDER BY id"

DUPLICATE = 1062
AGAIN = {1205, 1213, 1290, 1836, 2003, 2006, 2013}  # lock timeout, deadlock, read-only during a failover, no connection


def connect():
    return pymysql.connect(host=os.environ.get("MYSQL_HOST", "127.0.0.1"), port=int(os.environ.get("MYSQL_PORT", "3306")),
                           user=os.environ["MYSQL_USER"], password=os.environ["MYSQL_PASSWORD"],
                           database=os.environ.get("MYSQL_DATABASE", "relay"), charset="utf8mb4", autocommit=True,
                           connect_timeout=10, read_timeout=60, write_timeout=60)


def query(connection, statement, values):
    """Runs one statement, again for up to ten minutes while the database is away."""
    for wait in [1, 2, 4, 8, 16, 32, 60, 60, 120, 300, None]:
        try:
            connection.ping(reconnect=True)
            with connection.cursor() as cursor:
                cursor.execute(statement, values)
                return cursor.fetchall()
        except pymysql.err.MySQLError as error:
            if error.args[0] not in AGAIN or wait is None:
                raise
            time.sleep(wait)


def insert(connection, item):
    """Stores one event. False: it is stored already. Raises ValueError if another event has its id."""
    key = item.get("event_id", item["order_id"]), item["event_name"]
    try:
        query(connection, INSERT, (key[0], item["order_id"], item["storefront_id"], key[1], json.dumps(item)))
        return True
    except pymysql.err.IntegrityError as error:
        if error.args[0] != DUPLICATE:
            raise
    [[payload]] = query(connection, STORED, key)  # the database compares ids alone
    if json.loads(payload) != item:
        raise ValueError(f"another event has the id {key[0]} and the type {key[1]}")
    return False


def main():
    connection = connect()
    order = os.environ.get("ORDER", f"demo-{time.time():.0f}")
    common = {"storefront_id": os.environ.get("STOREFRONT", "bosley"), "order_id": order,
              "event_time": datetime.now(timezone.utc).isoformat(), "currency": "USD"}
    for item in [
        {**common, "event_name": "purchase_completed", "order_revenue": "80.79"},
        {**common, "event_name": "refund", "event_id": order + "-refund-1", "order_revenue": "20.00"},
        {**common, "event_name": "renewal", "event_id": order + "-renewal-2", "order_revenue": "80.79"},
    ]:
        insert(connection, item)

    deadline = time.monotonic() + 60  # an event may wait much longer: OMS asks again later
    while time.monotonic() < deadline and any(row[2] in ("pending", "processing") for row in query(connection, STATUS, (order,))):
        time.sleep(1)
    for row in query(connection, STATUS, (order,)):
        print(*row)


if __name__ == "__main__":
    main()
