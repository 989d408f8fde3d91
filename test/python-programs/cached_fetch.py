import asyncio


class Cache:
    """Fetches each key once, however many ask for it at the same time."""

    def __init__(self, fetch):
        self._fetch = fetch
        self._tasks = {}
        self.hits = self.misses = 0

    async def get(self, key):
        if key in self._tasks:
            self.hits += 1
        else:
            self.misses += 1
            self._tasks[key] = asyncio.create_task(self._fetch(key))
        return await self._tasks[key]


async def fetch_user(user_id):
    print('fetching', user_id)
    await asyncio.sleep(0.5)
    return {'id': user_id, 'name': f'user{user_id}'}


async def main():
    cache = Cache(fetch_user)
    users = await asyncio.gather(*[cache.get(i % 3) for i in range(7)])
    print([user['name'] for user in users])
    print('hits', cache.hits, 'misses', cache.misses)
    print(users[0] is users[3])


asyncio.run(main())
