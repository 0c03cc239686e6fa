"""What the floor asks, as PostgreSQL is asked by the application."""

ITEMS = """
    SELECT i.id, i.title, i.body, i.created_at, i.updated_at, u.id AS owner_id, u.name AS owner_name
    FROM items i JOIN users u ON u.id = i.owner_id
"""
ITEM = f"{ITEMS} WHERE i.id = $1"
LIST = f"{ITEMS} WHERE i.id < $1 ORDER BY i.id DESC LIMIT 21"
