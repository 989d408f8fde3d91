"""A window of the last readings, flags in bits, and the first of several answers."""
import asyncio
from collections import deque

READ, WRITE, ADMIN = 1, 2, 1 << 40


def names(flags):
    found = []
    if flags & READ:
        found.append('read')
    if flags & WRITE:
        found.append('write')
    if flags & ADMIN:
        found.append('admin')
    return found


async def sensor(window, readings):
    for reading in readings:
        await asyncio.sleep(1)
        window.append(reading)
        print(len(window), window[0], window[-1], sum(window) / len(window))


async def answer(name, seconds):
    await asyncio.sleep(seconds)
    return name


def checksum(text):
    value = 0
    for letter in text:
        value = (value << 5 ^ value >> 27 ^ ord(letter)) & 0xffffffff
    return value


async def main():
    window = deque(maxlen=3)
    await sensor(window, [5, 3, 8, 1, 9])
    window.appendleft(7)
    print([n for n in window], 8 in window, 3 in window)
    window.extend([4, 6])
    copy = window.copy()
    copy.append(2)
    print(list(window), list(copy), window == deque([7, 4, 6]), window == copy)
    full = deque('abc', 3)
    try:
        full.insert(1, 'x')
    except IndexError as error:
        print(error)
    full.pop()
    full.insert(1, 'x')
    print(list(full))

    print(names(READ | WRITE), names(ADMIN | READ), names(0))
    flags = READ | WRITE | ADMIN
    flags &= ~WRITE
    flags ^= READ
    print(flags == ADMIN, flags, ~flags, -1 & 0xff, -5 | 2, -5 ^ 3, 6 & -2, (1 << 45) & (3 << 44), ~0)
    even = [n for n in range(6) if n & 1 == 0]
    print(even, True & False, True | False, True ^ True, 5 & 3 == 1, [n & 6 for n in range(8)])
    print(checksum('the quick brown fox'))

    tasks = [asyncio.create_task(answer('slow', 5)), asyncio.create_task(answer('fast', 1))]
    done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    print(done.pop().result(), len(done), len(pending))
    left = pending.pop()
    left.cancel()
    try:
        pending.pop()
    except KeyError as error:
        print(error)


asyncio.run(main())
