"""catalog: what the shop sells. Its database is catalog-db; no other service looks into it."""

import json

from shop import Database, NotFound, address, serve

PRODUCTS = [
    {"id": "tea", "name": "Green tea from Boseong", "price": 9000},
    {"id": "ink", "name": "Ink stick", "price": 15000},
    {"id": "fan", "name": "Folding fan", "price": 12000},
    {"id": "cup", "name": "Celadon cup", "price": 28000},
]


def seed(database):
    for product in PRODUCTS:
        database("HSETNX", "products", product["id"], json.dumps(product))


database = Database(address("DATABASE", "catalog-db:6379"), seed)


def products(name, _):
    if not name:
        return [json.loads(p) for p in sorted(database("HVALS", "products"))]
    product = database("HGET", "products", name)
    if product is None:
        raise NotFound("no product is called " + name)
    return json.loads(product)


if __name__ == "__main__":
    serve({("GET", "products"): products})
