import asyncio
from contextlib import asynccontextmanager


class Database:
    def __init__(self):
        self.rows = {}
        self.lock = asyncio.Lock()


@asynccontextmanager
async def transaction(db: Database, name: str):
    async with db.lock:
        before = dict(db.rows)
        print('BEGIN', name)
        try:
            yield db.rows
        except Exception as error:
            db.rows = before
            print('ROLLBACK', name, '-', error)
            raise
        else:
            print('COMMIT', name)


async def insert(db, key, value):
    async with transaction(db, f'insert {key}') as rows:
        await asyncio.sleep(0.1)
        if key in rows:
            raise ValueError(f'duplicate key {key}')
        rows[key] = value


async def main():
    db = Database()
    results = await asyncio.gather(
        insert(db, 'a', 1), insert(db, 'b', 2), insert(db, 'a', 3), return_exceptions=True,
    )
    print(results)
    print(db.rows)


asyncio.run(main())
