import asyncio
from contextvars import ContextVar

request_id: ContextVar[str] = ContextVar('request_id', default='-')
user = ContextVar('user', default='anonymous')


def log(message):
    print(f'[{request_id.get()}] {user.get()}: {message}')


async def query(table):
    log(f'SELECT * FROM {table}')
    await asyncio.sleep(0.1)
    return 3


async def handle(number, name):
    request_id.set(f'req-{number}')
    token = user.set(name)
    log('begin')
    rows = await query('orders')
    log(f'{rows} rows')
    user.reset(token)
    log('end')


async def main():
    log('server up')
    await asyncio.gather(handle(1, 'ada'), handle(2, 'bob'), handle(3, 'cleo'))
    log('server down')


asyncio.run(main())
