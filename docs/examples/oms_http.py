"""Sends a purchase, its refund and its renewal to the relay by HTTP, and prints what became of them.

Needs requests (Debian: python3-requests), and in the environment RELAY_URL, BASIC_AUTH_USERNAME and BASIC_AUTH_PASSWORD.
"""
import os
import sys
import time
from datetime import datetime, timezone

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

RELAY = os.environ.get("RELAY_URL", "http://localhost:8000")

# After these statuses and after a lost connection, the same batch is sent again: stored events count as duplicates.
AGAIN = Retry(total=10, backoff_factor=1, status_forcelist=[408, 429, 500, 502, 503, 504],
              allowed_methods=["GET", "POST"], raise_on_status=False)


def connect():
    session = requests.Session()
    session.auth = os.environ["BASIC_AUTH_USERNAME"], os.environ["BASIC_AUTH_PASSWORD"]
    session.mount(RELAY, HTTPAdapter(max_retries=AGAIN))
    return session


def send(session, items):
    """Returns the errors of the rejected items. If it raises, keep the items and send them again later."""
    errors = []
    while items:
        response = session.post(RELAY + "/v1/events", json={"count": len(items), "data": items}, timeout=(10, 180))
        result = response.json() if "json" in response.headers.get("Content-Type", "") else {}
        if response.status_code != 202 and result.get("code") != "no_acceptable_item":
            raise RuntimeError(f"{response.status_code} {result.get('code')}: {result.get('detail')}")
        busy = [e["index"] for e in result["errors"] if e["code"] == "busy"]
        errors += [e for e in result["errors"] if e["code"] != "busy"]
        items = [items[i] for i in busy]  # another transaction is inserting these
        time.sleep(5 if items else 0)
    return errors


def status(session, order):
    """Returns all events of an order, refunds and renewals included."""
    response = session.get(RELAY + "/v1/events", params={"order_id": order}, timeout=(10, 60))
    response.raise_for_status()
    return response.json()["items"]


def main():
    session = connect()
    order = os.environ.get("ORDER", f"demo-{time.time():.0f}")
    common = {"storefront_id": os.environ.get("STOREFRONT", "bosley"), "order_id": order,
              "event_time": datetime.now(timezone.utc).isoformat(), "currency": "USD"}
    errors = send(session, [
        {**common, "event_name": "purchase_completed", "order_revenue": "80.79"},
        {**common, "event_name": "refund", "event_id": order + "-refund-1", "order_revenue": "20.00"},
        {**common, "event_name": "renewal", "event_id": order + "-renewal-2", "order_revenue": "80.79"},
    ])
    for e in errors:
        print("rejected:", e["event_id"], e["field"], e["code"], e["message"], file=sys.stderr)

    deadline = time.monotonic() + 60  # an event may wait much longer: OMS asks again later
    while time.monotonic() < deadline and any(e["status"] in ("pending", "processing") for e in status(session, order)):
        time.sleep(1)
    for e in status(session, order):
        print(e["event_id"], e["event_type"], e["status"], e.get("reason", "-"))
    sys.exit(1 if errors else 0)


if __name__ == "__main__":
    main()
