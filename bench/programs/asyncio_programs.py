"""The workloads on asyncio, one after the other what programs/loopscope.mjs does; uvloop runs the same ones."""

import asyncio


async def spawn(p, meter):
    async def child(i):
        return i

    return sum(await asyncio.gather(*[child(i) for i in range(p["tasks"])]))


async def switching(p, meter):
    last = -1
    switches = 0

    async def worker(id):
        nonlocal last, switches
        for _ in range(p["each"]):
            await asyncio.sleep(0)
            if last != id:
                switches += 1
            last = id

    await asyncio.gather(*[worker(i) for i in range(p["tasks"])])
    return switches


async def pingpong(p, meter):
    there = asyncio.Queue(1)
    back = asyncio.Queue(1)
    rounds = p["rounds"]

    async def echo():
        for _ in range(rounds):
            await back.put(await there.get() + 1)

    echoing = asyncio.create_task(echo())
    total = 0
    for n in range(rounds):
        await there.put(n)
        total += await back.get()
    await echoing
    return total


async def queue(p, meter):
    channel = asyncio.Queue(p["maxsize"])
    producers, consumers, items = p["producers"], p["consumers"], p["items"]

    async def producer(first):
        for n in range(items // producers):
            await channel.put(first + n)
        return 0

    async def consumer():
        total = 0
        for _ in range(items // consumers):
            total += await channel.get()
        return total

    return sum(await asyncio.gather(*[producer(i * items) for i in range(producers)], *[consumer() for _ in range(consumers)]))


async def timers(p, meter):
    async def sleeper(i):
        await asyncio.sleep(i * 7919 % p["spread"] / 1000)
        return i

    return sum(await asyncio.gather(*[sleeper(i) for i in range(p["tasks"])]))


async def memory(p, meter):
    asleep = 0

    async def sleeper(i):
        nonlocal asleep
        asleep += 1
        await asyncio.sleep(3600 + i % 500 / 1000)

    meter.memory_before()
    sleepers = [asyncio.create_task(sleeper(i)) for i in range(p["tasks"])]
    await asyncio.sleep(meter.settle)
    meter.memory_after(asleep, sleepers)


async def deep(p, meter):
    async def level(n):
        if n > 1:
            return 1 + await level(n - 1)
        await asyncio.sleep(0)
        return 1

    total = 0
    for _ in range(p["times"]):
        total += await level(p["depth"])
    return total


async def resuspend(p, meter):
    async def level(n):
        if n > 1:
            return await level(n - 1)
        count = 0
        for _ in range(p["suspensions"]):
            await asyncio.sleep(0)
            count += 1
        return count

    total = 0
    for _ in range(p["times"]):
        total += await level(p["depth"])
    return total


async def cancel(p, meter):
    async def sleeper():
        await asyncio.sleep(3600)

    sleepers = [asyncio.create_task(sleeper()) for _ in range(p["tasks"])]
    await asyncio.sleep(meter.settle)
    meter.lap()
    for task in sleepers:
        task.cancel()
    ends = await asyncio.gather(*sleepers, return_exceptions=True)
    return sum(isinstance(end, asyncio.CancelledError) for end in ends)
