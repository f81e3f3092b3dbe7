"""orders: takes orders. It asks catalog for the price (HTTP, at once) and stock for the goods (events, in its own time).

An order is placed, then confirmed or refused. The bus keeps nothing, so an order that is still only placed after a
while is told again: whoever hears it twice must do it once.
"""

import json
import os
import threading
import time
import urllib.error
import urllib.request

from shop import BadRequest, Bus, Database, NotFound, address, log, serve

TOLD_AGAIN = 5  # seconds

database = Database(address("DATABASE", "orders-db:6379"))
catalog = os.environ.get("CATALOG", "http://catalog:8080")


def settle(state):
    def handler(event):
        order = load(event["order"])
        order["state"] = state
        save(order)
        database("SREM", "open", order["id"])

    return handler


def load(number):
    text = database("HGET", "orders", number)
    if text is None:
        raise NotFound("no order has the number %s" % number)
    return json.loads(text)


def save(order):
    database("HSET", "orders", order["id"], json.dumps(order))


def price_of(product):
    try:
        with urllib.request.urlopen("%s/products/%s" % (catalog, product), timeout=3) as answer:
            return json.load(answer)["price"]
    except urllib.error.HTTPError as error:
        if error.code == 404:
            raise BadRequest("no product is called " + product) from error
        raise


def place(_, wish):
    product, quantity = wish.get("product"), wish.get("quantity", 1)
    if not isinstance(product, str) or not product.isalnum() or not isinstance(quantity, int) or not 0 < quantity < 1000:
        raise BadRequest('an order is {"product": "tea", "quantity": 2}')
    price = price_of(product)
    order = {
        "id": database("INCR", "number"),
        "product": product,
        "quantity": quantity,
        "total": price * quantity,
        "state": "placed",
    }
    save(order)
    database("SADD", "open", order["id"])
    bus.publish("order.placed", order)
    return order


def orders(number, _):
    if number:
        return load(number)
    return sorted((json.loads(o) for o in database("HVALS", "orders")), key=lambda o: -o["id"])


def tell_again():
    while True:
        time.sleep(TOLD_AGAIN)
        try:
            for number in database("SMEMBERS", "open"):
                bus.publish("order.placed", load(number))
        except (OSError, RuntimeError, NotFound) as error:
            log("telling again:", error)


if __name__ == "__main__":
    bus = Bus(
        address("BUS", "bus:4222"), "orders", {"stock.reserved": settle("confirmed"), "stock.refused": settle("refused")}
    )
    threading.Thread(target=tell_again, daemon=True).start()
    serve({("GET", "orders"): orders, ("POST", "orders"): place})
