import asyncio
import random

random.seed(7)


class TransientError(Exception):
    """Worth another try."""


async def flaky(attempts_needed: int, state: dict) -> str:
    await asyncio.sleep(0.01)
    state['calls'] = state.get('calls', 0) + 1
    if state['calls'] < attempts_needed:
        raise TransientError(f'attempt {state["calls"]} failed')
    return 'payload'


async def retry(func, *args, retries=5, base=0.1, cap=2.0):
    for attempt in range(retries):
        try:
            return await func(*args)
        except TransientError as e:
            delay = min(cap, base * 2 ** attempt)
            jitter = random.uniform(0, delay / 10)
            print(f'{e}; retrying in {delay:.2f}s')
            await asyncio.sleep(delay + jitter)
    raise TransientError('gave up')


async def main():
    print(await retry(flaky, 4, {}))
    try:
        await retry(flaky, 10, {}, retries=3)
    except TransientError as e:
        print('final:', e)


asyncio.run(main())
