import asyncio


async def slow(seconds):
    await asyncio.sleep(seconds)
    return f'slept {seconds}'


async def main():
    # wait_for
    try:
        print(await asyncio.wait_for(slow(1), timeout=2))
        print(await asyncio.wait_for(slow(3), timeout=2))
    except asyncio.TimeoutError:
        print('wait_for timed out')

    # a scope
    try:
        async with asyncio.timeout(1.5):
            await slow(1)
            print('first part done')
            await slow(1)
            print('never printed')
    except TimeoutError:
        print('scope timed out')

    # a deadline that moves
    async with asyncio.timeout(None) as scope:
        deadline = asyncio.get_running_loop().time() + 2
        scope.reschedule(deadline)
        await slow(1)
        print('expired?', scope.expired())

    # several at once
    done, pending = await asyncio.wait([asyncio.create_task(slow(n)) for n in (1, 2, 5)], timeout=3)
    print(len(done), 'done', len(pending), 'pending')
    for task in pending:
        task.cancel()


asyncio.run(main())
