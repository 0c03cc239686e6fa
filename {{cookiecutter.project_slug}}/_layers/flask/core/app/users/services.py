from apiflask import abort
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from app.database import db, transaction
from app.passwords import hash_password, needs_rehash, verify_password
from app.users.models import User
from app.users.schemas import Credentials, UserCreate


def sign_up(data: UserCreate) -> User:
    user = User(email=data.email, name=data.name, password=hash_password(data.password))
    try:
        with transaction():
            db.session.add(user)
    except IntegrityError:
        abort(409, "This e-mail address is taken.")
    return user


def log_in(credentials: Credentials) -> User:
    """The account, its password hashed anew when the hash was made with other parameters than today's."""
    with db.session.begin():
        user = db.session.scalar(select(User).where(User.email == credentials.email))
    if not verify_password(credentials.password, user.password if user else None) or user is None:
        abort(401, "The e-mail address or the password is wrong.", headers={"WWW-Authenticate": "Bearer"})
    if needs_rehash(user.password):
        hashed = hash_password(credentials.password)
        with transaction():
            user.password = hashed
    return user
