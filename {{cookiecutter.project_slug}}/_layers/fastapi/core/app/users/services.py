from anyio import CapacityLimiter
from anyio.to_thread import run_sync
from fastapi import HTTPException
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from app.database import reading, writing
from app.passwords import hash_password, needs_rehash, verify_password
from app.users.models import User
from app.users.schemas import Credentials, UserCreate

# Hashing is slow on purpose, so it runs in threads. Each takes 64 MiB, so there are few.
_threads = CapacityLimiter(4)


async def sign_up(session: AsyncSession, data: UserCreate) -> User:
    password = await run_sync(hash_password, data.password, limiter=_threads)
    user = User(email=data.email, name=data.name, password=password)
    session.add(user)
    try:
        await session.commit()
    except IntegrityError as error:
        raise HTTPException(409, "This e-mail address is taken.") from error
    return user


async def log_in(credentials: Credentials) -> User:
    """The account, its password hashed anew when the hash was made with other parameters than today's."""
    async with reading() as session:
        user = await session.scalar(select(User).where(User.email == credentials.email))
    hashed = user.password if user else None
    verified = await run_sync(verify_password, credentials.password, hashed, limiter=_threads)
    if not verified or user is None:
        raise HTTPException(401, "The e-mail address or the password is wrong.", {"WWW-Authenticate": "Bearer"})
    if needs_rehash(user.password):
        password = await run_sync(hash_password, credentials.password, limiter=_threads)
        async with writing.begin() as session:
            await session.execute(update(User).where(User.id == user.id).values(password=password))
    return user
