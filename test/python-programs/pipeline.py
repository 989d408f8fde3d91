"""A pipeline of three stages, with a queue between each two."""
import asyncio

LINES = ['the quick brown fox', 'jumps over', 'the lazy dog', 'and runs away from the fox']


async def read(out):
    for line in LINES:
        await asyncio.sleep(0.05)
        await out.put(line)
    await out.put(None)


async def split(inp, out):
    while True:
        line = await inp.get()
        if line is None:
            await out.put(None)
            break
        for word in line.split():
            await out.put(word)


async def count(inp):
    counts = {}
    while True:
        word = await inp.get()
        if word is None:
            break
        counts[word] = counts.get(word, 0) + 1
        await asyncio.sleep(0.01)
    return counts


async def main():
    lines = asyncio.Queue(maxsize=1)
    words = asyncio.Queue(maxsize=3)
    *_, counts = await asyncio.gather(read(lines), split(lines, words), count(words))
    for word, n in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        print(f'{word:<8}{n:>3}')


asyncio.run(main())
