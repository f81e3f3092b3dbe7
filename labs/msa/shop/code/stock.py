"""stock: how much there is of each product. It hears of orders by events and answers by events.

What it has decided about an order it keeps, so that an order it hears of twice takes goods away once.
"""

from shop import Bus, Database, address, serve

GOODS = {"tea": 20, "ink": 10, "fan": 10, "cup": 3}


def seed(database):
    for product, quantity in GOODS.items():
        database("HSETNX", "stock", product, quantity)


database = Database(address("DATABASE", "stock-db:6379"), seed)


def reserve(order):
    number = order["id"]
    if database("HSETNX", "decided", number, "refused"):
        left = database("HINCRBY", "stock", order["product"], -order["quantity"])
        if left >= 0:
            database("HSET", "decided", number, "reserved")
        else:
            database("HINCRBY", "stock", order["product"], order["quantity"])
    bus.publish("stock." + database("HGET", "decided", number), {"order": number})


def stock(_, __):
    flat = database("HGETALL", "stock")
    return {product: int(quantity) for product, quantity in zip(flat[::2], flat[1::2])}


if __name__ == "__main__":
    bus = Bus(address("BUS", "bus:4222"), "stock", {"order.placed": reserve})
    serve({("GET", "stock"): stock})
