"""Where copies are kept."""

from app.copies import Copies
from app.memory import Memory

store = Memory()
copies = Copies(store)
