import asyncio
import functools
import time


def timed(func):
    @functools.wraps(func)
    async def wrapper(*args, **kwargs):
        start = time.perf_counter()
        try:
            return await func(*args, **kwargs)
        finally:
            print(f'{func.__name__} took {time.perf_counter() - start:.2f} s')
    return wrapper


@timed
async def brew(kind):
    await asyncio.sleep(3)
    return f'a cup of {kind}'


@timed
async def toast(slices):
    await asyncio.sleep(0.5 * slices)
    return f'{slices} slices of toast'


async def main():
    tea, bread = await asyncio.gather(brew('tea'), toast(2))
    print(tea, 'and', bread)


asyncio.run(main())
