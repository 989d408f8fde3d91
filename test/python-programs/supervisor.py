import asyncio


class Crash(Exception):
    pass


async def metrics():
    while True:
        await asyncio.sleep(1)
        print('metrics sent')


crashes = {'mailer': 0}


async def mailer():
    await asyncio.sleep(0.8)
    crashes['mailer'] += 1
    if crashes['mailer'] < 3:
        raise Crash(f'mailer crashed ({crashes["mailer"]})')
    print('mailer is stable now')
    await asyncio.sleep(100)


async def supervise(name, service, restarts=5):
    for attempt in range(1, restarts + 1):
        try:
            await service()
        except Crash as crash:
            print(f'{crash}: restart {attempt}/{restarts}')
            await asyncio.sleep(0.1 * attempt)
        else:
            break
    else:
        print(name, 'given up')


async def main():
    services = {'metrics': metrics, 'mailer': mailer}
    tasks = [asyncio.create_task(supervise(name, service), name=name) for name, service in services.items()]
    await asyncio.sleep(4.5)
    for task in tasks:
        task.cancel()
        try:
            await task
        except asyncio.CancelledError:
            print('stopped', task.get_name())


asyncio.run(main())
