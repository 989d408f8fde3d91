import asyncio


async def fetch(host):
    reader, writer = await asyncio.open_connection(host, 80)
    writer.write(f'GET / HTTP/1.0\r\nHost: {host}\r\n\r\n'.encode())
    await writer.drain()
    print(await reader.readline())
    writer.close()


asyncio.run(fetch('example.org'))
