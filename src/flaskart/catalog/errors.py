"""How dealing with the catalogue can fail."""

from flaskart.kit.errors import Conflict, NotFound


class ProductNotFound(NotFound):
    code = "product_not_found"
    message = "Product not found"


class VariantNotFound(NotFound):
    code = "variant_not_found"
    message = "Product not found"


class SlugTaken(Conflict):
    code = "slug_taken"
    message = "Another product has this slug"
    pointer = "/slug"


class SkuTaken(Conflict):
    code = "sku_taken"
    message = "Another variant has this SKU"
    pointer = "/sku"
