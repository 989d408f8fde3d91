"""The same server on asyncio, or with the argument `uvloop` on uvloop: prints its port, and then, for each line that it reads, the processor time that it has used, in microseconds."""
import asyncio
import os
import sys
import threading


async def echo(reader, writer):
    try:
        while line := await reader.readline():
            writer.write(line)
            await writer.drain()
    except ConnectionError:
        pass
    writer.close()


async def main():
    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def answer():
    for _ in sys.stdin:
        times = os.times()
        print(round((times.user + times.system) * 1e6), flush=True)
    os._exit(0)


threading.Thread(target=answer, daemon=True).start()
if sys.argv[1] == "uvloop":
    import uvloop

    uvloop.install()
asyncio.run(main())
