"""Where copies are kept: https://flask-caching.readthedocs.io/"""

from flask_caching import Cache

from app import memory
from app.copies import Copies

COUNTS = memory.COUNTS

cache = Cache(config=memory.CACHE)
store = memory.Memory(cache)
copies = Copies(store)
