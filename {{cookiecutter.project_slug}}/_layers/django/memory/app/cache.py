"""Where copies are kept: https://docs.djangoproject.com/en/6.1/topics/cache/"""

from app import memory
from app.copies import Copies

CACHE = memory.CACHE

store = memory.Memory()
copies = Copies(store)
