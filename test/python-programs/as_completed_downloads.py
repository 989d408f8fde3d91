import asyncio


async def download(name, size):
    await asyncio.sleep(size / 10)
    return name, size


async def main():
    files = [('video.mp4', 30), ('song.mp3', 7), ('text.txt', 1), ('photo.jpg', 4)]
    total = 0
    for earliest in asyncio.as_completed([download(name, size) for name, size in files]):
        name, size = await earliest
        total += size
        print(f'{name:<10} {size:>3} MB ({total} of {sum(s for _, s in files)})')

asyncio.run(main())
