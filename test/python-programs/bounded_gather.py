import asyncio


async def bounded_gather(limit, *coros):
    """Like gather, but at most `limit` at a time."""
    semaphore = asyncio.Semaphore(limit)

    async def bounded(coro):
        async with semaphore:
            return await coro

    return await asyncio.gather(*(bounded(coro) for coro in coros))


running = 0
peak = 0


async def job(n):
    global running, peak
    running += 1
    peak = max(peak, running)
    await asyncio.sleep(0.1 * n)
    running -= 1
    return n * n


async def main():
    results = await bounded_gather(3, *[job(n) for n in range(1, 8)])
    print(results, 'peak:', peak)
    print(f'{asyncio.get_running_loop().time():.1f}')


if __name__ == '__main__':
    asyncio.run(main())
