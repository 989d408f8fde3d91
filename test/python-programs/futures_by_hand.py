import asyncio


async def set_after(fut, delay, value):
    await asyncio.sleep(delay)
    fut.set_result(value)


async def main():
    loop = asyncio.get_running_loop()

    fut = loop.create_future()
    loop.create_task(set_after(fut, 1, '... world'))
    print('hello ...')
    print(await fut)

    failing = loop.create_future()
    loop.call_soon(failing.set_exception, RuntimeError('no luck'))
    try:
        await failing
    except RuntimeError as error:
        print('caught', error)

    done = loop.create_future()
    done.add_done_callback(lambda f: print('callback got', f.result()))
    loop.call_later(0.5, done.set_result, 42)
    print('result', await done, 'at', loop.time())


asyncio.run(main())
