import asyncio
import contextlib


class Server:
    def __init__(self):
        self.stopping = asyncio.Event()
        self.connections = set()

    async def handle(self, client):
        try:
            while not self.stopping.is_set():
                print(f'{client}: ping')
                with contextlib.suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(self.stopping.wait(), timeout=0.4)
            print(f'{client}: draining')
            await asyncio.sleep(0.1)
        except asyncio.CancelledError:
            print(f'{client}: killed')
            raise

    def connect(self, client):
        task = asyncio.create_task(self.handle(client))
        self.connections.add(task)
        task.add_done_callback(self.connections.discard)

    async def shutdown(self, grace):
        print(f'shutting down {len(self.connections)} connections')
        self.stopping.set()
        if self.connections:
            _, late = await asyncio.wait(self.connections, timeout=grace)
            for task in late:
                task.cancel()
        print('connections left:', len(self.connections))


async def main():
    server = Server()
    for client in ('c1', 'c2', 'c3'):
        server.connect(client)
        await asyncio.sleep(0.15)
    await server.shutdown(grace=1)


asyncio.run(main())
