# What happens when somebody calls time.sleep in a coroutine.
import asyncio, time

async def heartbeat():
    last = time.monotonic()
    for _ in range(6):
        await asyncio.sleep(0.5)
        now = time.monotonic()
        late = now - last - 0.5
        print('beat' if late < 0.01 else f'beat, {late:.1f} s late')
        last = now

async def bad_view():
    await asyncio.sleep(0.7)
    print('bad view starts')
    time.sleep(1.2)
    print('bad view ends')

async def good_view():
    await asyncio.sleep(0.7)
    print('good view starts')
    await asyncio.sleep(1.2)
    print('good view ends')

async def main():
    await asyncio.gather(heartbeat(), bad_view())
    print('-' * 20)
    await asyncio.gather(heartbeat(), good_view())

asyncio.run(main())
